// The query API: requests with a time limit, errors in words, what is new as it comes, and hooks that views load data with.

import { useCallback, useEffect, useRef, useState } from "./vendor/ui.js";

const BASE = "/api/v1";
const PATIENCE_MS = 30_000; // a search over a million events takes under a second; after this the server is taken for dead
const SLOW_MS = 4_000; // from here on a waiting reader is told that the wait is known
export const MOST = 400; // entries of a list in the page; with thousands of them a browser gets slow
const MOMENT_MS = 200;
const AGAIN_MS = 5_000; // between two tries while the server does not answer

/** The server's refusal: its status, its words, and the parameter that they are about. `passing`: trying again may help. */
export class ApiError extends Error {
  constructor(status, message, where = "") {
    super(message);
    this.status = status;
    this.where = where;
    this.passing = status === 0 || status === 429 || status >= 500;
  }
}

/** A path and its parameters in (lists are repeated, empty values left out), an address out. */
export function address(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat()) if (one !== undefined && one !== null && one !== "") query.append(name, one);
  }
  const text = query.toString();
  return BASE + path + (text ? `?${text}` : "");
}

const atLogin = new EventTarget(); // "needed": the server wants to know who asks; "done": it knows now
let told = false; // whether the server has ever answered this page

/** Call `take` when a log-in is needed ("first", or "again" if the page has shown something) and when it is done (null). */
export function onLogin(take) {
  const needed = () => take(told ? "again" : "first");
  const done = () => take(null);
  atLogin.addEventListener("needed", needed);
  atLogin.addEventListener("done", done);
  return () => { atLogin.removeEventListener("needed", needed); atLogin.removeEventListener("done", done); };
}

/** The log-in has succeeded: all that was refused is asked for again. */
export function loggedIn() {
  asking = null;
  naming = null;
  atLogin.dispatchEvent(new Event("done"));
}

async function call(url, { signal, ...options } = {}) {
  const limit = AbortSignal.timeout(PATIENCE_MS);
  let answer;
  try {
    answer = await fetch(url, { ...options, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, limit.aborted ? "The server did not answer in 30 seconds." : "The server cannot be reached.");
  }
  if (answer.ok) {
    told ||= !options.method;
    return answer.status === 204 ? null : answer.json();
  }
  const said = await answer.json().catch(() => null);
  if (answer.status === 401 && !url.endsWith("/login")) atLogin.dispatchEvent(new Event("needed"));
  const known = { 403: "Your role may read, but not change anything." };
  throw new ApiError(answer.status, said?.error?.message ?? known[answer.status] ?? `The server answered ${answer.status}.`, said?.error?.where);
}

export const get = (path, params, options) => call(address(path, params), options);

/** A change: the header shows that the request comes from this page and not from another site. */
export function send(method, path, body, type = "application/json") {
  const headers = { "X-Dateline": "1", ...(body === undefined ? {} : { "Content-Type": type }) };
  return call(BASE + path, { method, headers, body: body === undefined || type !== "application/json" ? body : JSON.stringify(body) });
}

let asked = 0;
/** Count the answers to an earlier question that are still shown; until the new ones have come, the lists are dimmed. */
function waiting(by) {
  asked += by;
  document.documentElement.classList.toggle("waiting", asked > 0);
}

/** Load `path` and load it again when its address changes; keep the last data while waiting and while the server is down. */
export function useApi(path, params, { everyMs = 0 } = {}) {
  const url = path ? address(path, params) : null;
  const [state, setState] = useState({ data: null, error: null, loading: Boolean(url), slow: false, url });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!url) return undefined;
    const stop = new AbortController();
    let timer = 0;
    let stale = state.data && state.url !== url ? 1 : 0;
    const came = () => { waiting(-stale); stale = 0; };
    const load = async () => {
      const slow = setTimeout(() => setState((old) => ({ ...old, slow: true })), SLOW_MS);
      try {
        const data = await call(url, { signal: stop.signal });
        setState({ data, error: null, loading: false, slow: false, url });
        if (everyMs) timer = setTimeout(load, everyMs);
      } catch (error) {
        if (stop.signal.aborted) return;
        setState((old) => ({ ...old, error, loading: false, slow: false }));
        if (error.passing) timer = setTimeout(load, AGAIN_MS);
      } finally {
        clearTimeout(slow);
        came();
      }
    };
    setState((old) => ({ ...old, loading: true }));
    waiting(stale);
    load();
    const again = () => { clearTimeout(timer); load(); };
    atLogin.addEventListener("done", again);
    return () => { stop.abort(); clearTimeout(timer); atLogin.removeEventListener("done", again); came(); };
  }, [url, turn, everyMs]);
  return { ...state, reload: useCallback(() => setTurn((old) => old + 1), []) };
}

/**
 * The pages of a list, one after the other. `more` loads the next one. The page keeps MOST entries: of a longer list the first
 * ones leave, `left` says how many, and `back` shows the beginning again. `ahead.current` of a view with live entries: how many it
 * shows before the list; they leave first.
 */
export function usePages(path, params, ahead = { current: 0 }) {
  const first = useApi(path, params);
  const [state, setState] = useState(null);
  const mine = state?.of === first.data && state ? state : { of: first.data, items: first.data?.items ?? [], left: 0, next: first.data?.next, busy: false, moreError: null };
  const newest = useRef(first.data);
  newest.current = first.data;
  const more = async () => {
    if (mine.busy) return;
    setState({ ...mine, busy: true, moreError: null });
    try {
      const page = await get(path, { ...params, cursor: mine.next });
      if (newest.current !== mine.of) return;
      const all = [...mine.items, ...page.items];
      const over = Math.max(0, all.length - MOST);
      const live = mine.left || ahead.current + all.length <= MOST ? 0 : ahead.current;
      setState({ ...mine, items: all.slice(over), left: mine.left + live + over, next: page.next, busy: false, moreError: null });
    } catch (error) {
      if (newest.current === mine.of) setState({ ...mine, busy: false, moreError: error });
    }
  };
  return { ...first, ...mine, more, back: () => { setState(null); scrollTo({ top: 0 }); } };
}

/** Call `take(name, item)` for all that is new, as it comes; what comes within a moment is drawn together. Returns "on", "waiting" or "off". */
export function useLive(sorts, take, active = true) {
  const [state, setState] = useState("waiting");
  const latest = useRef(take);
  latest.current = take;
  const wanted = sorts.join();
  useEffect(() => {
    if (!active) { setState("off"); return undefined; }
    let source = null;
    let next = 0;
    let came = [];
    let timer = 0;
    const give = () => {
      const all = came;
      [came, timer] = [[], 0];
      for (const [name, item] of all) latest.current(name, item);
    };
    const open = () => {
      source = new EventSource(address("/live", { resource: wanted.split(",") }));
      source.onopen = () => setState("on");
      source.onerror = () => { // a lost connection is opened anew by the browser; after a refusal it gives up, and we do not
        setState("waiting");
        if (source.readyState === EventSource.CLOSED) next = setTimeout(open, AGAIN_MS);
      };
      for (const name of ["story", "alert", "event", "article"]) {
        source.addEventListener(name, (message) => { came.push([name, JSON.parse(message.data)]); timer ||= setTimeout(give, MOMENT_MS); });
      }
    };
    open();
    return () => { source.close(); clearTimeout(timer); clearTimeout(next); };
  }, [wanted, active]);
  return state;
}

let asking = null;
/** Who looks: name, role and until when; null until the server has said so. */
export function useMe() {
  const [me, setMe] = useState(null);
  useEffect(() => {
    const ask = () => {
      asking ??= get("/me").catch(() => { asking = null; return null; });
      asking.then(setMe);
    };
    ask();
    return onLogin((needed) => needed || ask());
  }, []);
  return me;
}

/** Whether the reader may change things: mark alerts, change rules and feeds. True until the server has said no. */
export const useOperator = () => useMe()?.role !== "read";

const NO_NAMES = { kinds: [], types: [], modalities: [], phases: [], countries: {}, groups: {}, currencies: [] };
let naming = null;
/** The kinds, countries and groups that there are; empty until they have come. */
export function useNames() {
  const [names, setNames] = useState(NO_NAMES);
  useEffect(() => {
    naming ??= get("/names").catch(() => { naming = null; return NO_NAMES; });
    naming.then(setNames);
  }, []);
  return names;
}
