// The keyboard: one-letter keys, which can be switched off, and the list of them.

import { html, useEffect, useState } from "./vendor/ui.js";
import { Dialog } from "./parts.js";
import { go } from "./route.js";

const LIST = [
  ["/", "Search"], ["j", "Next entry of a list"], ["k", "Entry before"], ["Enter", "Open it"], ["g t", "Today"], ["g s", "Search"],
  ["g r", "Relations"], ["g a", "Alerts"], ["g f", "Sources"], ["?", "This list"], ["Esc", "Close, or leave a field"],
];
const PLACES = { t: "/", s: "/search", r: "/relations", a: "/alerts", f: "/sources" };
const SECOND_KEY_MS = 1200;

function step(by) {
  const links = [...document.querySelectorAll("main .card-link, main tr .row-link")];
  const at = links.indexOf(document.activeElement);
  const next = links[Math.max(0, Math.min(links.length - 1, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "center" });
}

function stored() {
  try { return localStorage.getItem("keys") !== "off"; } catch { return true; }
}

export function Keys({ open, setOpen }) {
  const [on, setOn] = useState(stored);
  useEffect(() => {
    if (!on) return undefined;
    let waiting = 0;
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target.closest("input, textarea, select, dialog")) {
        if (event.key === "Escape") event.target.blur();
        return;
      }
      const second = Date.now() - waiting < SECOND_KEY_MS;
      waiting = 0;
      if (second && PLACES[event.key]) go(PLACES[event.key]);
      else if (event.key === "g") waiting = Date.now();
      else if (event.key === "/") document.getElementById("find")?.focus();
      else if (event.key === "j") step(1);
      else if (event.key === "k") step(-1);
      else if (event.key === "?") setOpen(true);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [on]);
  const toggle = (event) => {
    setOn(event.target.checked);
    try { localStorage.setItem("keys", event.target.checked ? "on" : "off"); } catch { /* it then holds until the page is closed */ }
  };
  return html`<${Dialog} title="Keyboard" open=${open} close=${() => setOpen(false)}>
    <dl class="facts">${LIST.map(([key, does]) => html`<dt>${key.split(" ").map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${does}</dd>`)}</dl>
    <label class="row"><input type="checkbox" checked=${on} onChange=${toggle} /> Keys of one letter are on</label>
  <//>`;
}
