// The shell of the page: masthead, the view that the address names, keyboard, and what to say when the server is away.

import { h, html, render, useEffect, useErrorBoundary, useRef, useState } from "./vendor/ui.js";
import { onLogin, useApi } from "./api.js";
import { Keys } from "./keys.js";
import { LoginAgain, LoginPage, LogOut } from "./login.js";
import { Bones, Fault, Messages, said } from "./parts.js";
import { go, Link, useRoute } from "./route.js";
import { Trouble, troubles } from "./trouble.js";
import { fullTime } from "./words.js";
import { Today } from "./views/today.js";

/** The views by the beginning of their path; all but the first are loaded when they are first opened. */
const VIEWS = [
  [/^\/$/, "Today", async () => Today],
  [/^\/story\/([^/]+)$/, "Story", async () => (await import("./views/story.js")).Story],
  [/^\/event\/([^/]+)$/, "Event", async () => (await import("./views/event.js")).Event],
  [/^\/search$/, "Search", async () => (await import("./views/search.js")).Search],
  [/^\/relations$/, "Relations", async () => (await import("./views/relations.js")).Relations],
  [/^\/alerts(?:\/(mutes))?$/, "Alerts", async () => (await import("./views/alerts.js")).Alerts],
  [/^\/alerts\/rules(?:\/([^/]+))?$/, "Rules", async () => (await import("./views/rules.js")).Rules],
  [/^\/sources$/, "Sources", async () => (await import("./views/sources.js")).Sources],
];
const PLACES = [["/", "Today"], ["/search", "Search"], ["/relations", "Relations"], ["/alerts", "Alerts"], ["/sources", "Sources"]];
const STATUS_MS = 30_000; // how often the number of failing feeds and the service's own state are asked for
const WRONG_MS = 10_000; // while something is wrong: the page should say soon that it is right again

function Missing() {
  return html`<div class="empty"><h1>There is no such page</h1><p>The address may be old. <${Link} href="/">Today's stories<//> or <${Link} href="/search">Search<//> will lead on.</p></div>`;
}

function nextTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* it then holds until the page is closed */ }
  dispatchEvent(new Event("theme"));
}

function Find({ route }) {
  const ref = useRef(null);
  const wanted = route.path === "/search" ? route.query.get("q") ?? "" : "";
  useEffect(() => { ref.current.value = wanted; }, [wanted]);
  const submit = (event) => {
    event.preventDefault();
    const query = route.path === "/search" ? new URLSearchParams(route.query) : new URLSearchParams();
    query.delete("like");
    if (ref.current.value.trim()) query.set("q", ref.current.value.trim()); else query.delete("q");
    go(`/search?${query}`);
  };
  return html`<form class="find" role="search" onSubmit=${submit}>
    <label class="unseen" for="find">Search events and stories</label>
    <input id="find" type="search" name="q" ref=${ref} placeholder="Search events and stories" autocomplete="off" /><kbd aria-hidden="true">/</kbd>
  </form>`;
}

function Masthead({ route, status, openKeys, bare }) {
  const section = (path) => (path === "/" ? route.path === "/" || route.path.startsWith("/story/") : route.path.startsWith(path) || (path === "/search" && route.path.startsWith("/event/")));
  const failing = status?.feeds?.failing?.length ?? 0;
  return html`<header class="masthead"><div class="inner">
    <${Link} href="/" class="wordmark" aria-label="Dateline, today's stories">Date<i>line</i><//>
    ${bare ? null : html`<nav class="nav" aria-label="Views">${PLACES.map(([path, name]) => html`<${Link} href=${path} aria-current=${section(path) ? "page" : undefined}>${name}
      ${name === "Sources" && failing ? html`<span class="badge" title="feeds that fail">${failing}<span class="unseen"> failing</span></span>` : null}<//>`)}</nav>
    <${Find} route=${route} />`}
    <div class=${bare ? "tools push" : "tools"}>
      <button type="button" onClick=${nextTheme} title="Light or dark" aria-label="Change between light and dark">
        <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" /></svg></button>
      ${bare ? null : html`<button type="button" class="keys" onClick=${openKeys} title="Keyboard" aria-label="Keyboard shortcuts">?</button>`}
      <${LogOut} />
    </div>
  </div></header>`;
}

function View({ route }) {
  const [loaded, setLoaded] = useState(route.path === "/" ? { name: "Today", view: Today } : null);
  const [trouble, setTrouble] = useState(null);
  const [broken, mend] = useErrorBoundary((error) => console.error(error));
  const [pattern, name, load] = VIEWS.find(([one]) => one.test(route.path)) ?? [];
  useEffect(() => {
    let stale = false;
    mend();
    setTrouble(null);
    if (!load) return undefined;
    load().then((view) => !stale && setLoaded({ name, view }), () => !stale && setTrouble({ message: "This part of the page could not be loaded.", passing: false }));
    return () => { stale = true; };
  }, [name, route.path]);
  if (broken) return html`<${Fault} error=${{ message: "This view met an error and was stopped. The details are in the browser's console." }} again=${mend} />`;
  if (trouble) return html`<${Fault} error=${trouble} again=${() => location.reload()} />`;
  if (!load) return html`<${Missing} />`;
  if (loaded?.name !== name) return html`<${Bones} />`;
  const id = pattern.exec(route.path)?.[1];
  return h(loaded.view, { key: name + (id ?? ""), id: id && decodeURIComponent(id), query: route.query });
}

/** Scroll down to `y`, as soon as the view has grown so long, unless the reader moves first. Returns how to end the wait. */
function scrolled(view, y) {
  scrollTo(0, y);
  if (!y) return undefined;
  const stop = new AbortController();
  const growing = new ResizeObserver(() => { scrollTo(0, y); if (scrollY >= y) end(); });
  const end = () => { growing.disconnect(); stop.abort(); };
  growing.observe(view);
  for (const move of ["wheel", "touchmove", "pointerdown", "keydown"]) addEventListener(move, end, { signal: stop.signal });
  return end;
}

function App() {
  const route = useRoute();
  const [wrong, setWrong] = useState(false);
  const status = useApi("/status", {}, { everyMs: wrong ? WRONG_MS : STATUS_MS });
  useEffect(() => setWrong(troubles(status.data).length > 0), [status.data]);
  const [keys, setKeys] = useState(false);
  const [login, setLogin] = useState(null);
  useEffect(() => onLogin((needed) => { setLogin(needed); if (!needed) document.querySelector("main").focus(); }), []);
  const first = useRef(true);
  useEffect(() => { // a new view: read on from its top, by eye and by screen reader
    if (first.current) { first.current = false; return; }
    const main = document.querySelector("main");
    main.focus({ preventScroll: true });
    return scrolled(main, history.state?.y ?? 0);
  }, [route.path]);
  return html`
    <a class="skip" href="#main">Skip to the content</a>
    <${Masthead} route=${route} status=${status.data} openKeys=${() => setKeys(true)} bare=${login === "first"} />
    ${status.error?.passing ? html`<div class="trouble" role="alert">${said(status.error.message)} What you see may be old; it is tried again every few seconds.</div>` : html`<${Trouble} status=${status.data} />`}
    <main id="main" tabindex="-1">${login === "first" ? html`<${LoginPage} />` : html`<${View} route=${route} />`}</main>
    ${login === "again" ? html`<${LoginAgain} />` : null}
    <p class="printed small soft">${fullTime(Date.now())}, ${location.href}</p>
    <${Messages} />
    <${Keys} open=${keys} setOpen=${setKeys} />`;
}

render(html`<${App} />`, document.getElementById("app"));
