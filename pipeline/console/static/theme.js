// Runs before the first paint: the reader's choice of light or dark, so that the page never flashes in the other one.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: the system's own choice stands.
}
