// The address of the page: which view, which item, and the view's whole state in the query.

import { html, useEffect, useState } from "./vendor/ui.js";

const readers = new Set();
const here = () => ({ path: location.pathname, query: new URLSearchParams(location.search), key: location.href });
const tell = () => readers.forEach((read) => read(here()));
addEventListener("popstate", tell);

/** Go to another address of the page. `replace` keeps the browser's history as it is; else the entry that is left keeps how far down it was read. */
export function go(url, { replace = false } = {}) {
  if (!replace) history.replaceState({ y: scrollY }, "");
  history[replace ? "replaceState" : "pushState"](null, "", url);
  tell();
}

export function useRoute() {
  const [route, setRoute] = useState(here);
  useEffect(() => { readers.add(setRoute); return () => readers.delete(setRoute); }, []);
  return route;
}

/** The address with some parameters changed; null, "" and [] take a parameter out. */
export function changed(query, changes, path = location.pathname) {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "") next.append(name, one);
  }
  const text = next.toString();
  return path + (text ? `?${text}` : "");
}

/** All parameters as lists by name. */
export function params(query) {
  const found = {};
  for (const [name, value] of query) (found[name] ??= []).push(value);
  return found;
}

/** A link inside the page: a plain click changes the view, any other click does what the browser does. */
export function Link({ href, children, ...rest }) {
  const click = (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
  };
  return html`<a href=${href} onClick=${click} ...${rest}>${children}</a>`;
}
