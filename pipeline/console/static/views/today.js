// Today: the stories of a span of time as they come, and beside them where, which alerts, and how much was read.

import { html, useEffect, useMemo, useRef, useState } from "../vendor/ui.js";
import { MOST, useApi, useLive, usePages } from "../api.js";
import { Spark } from "../charts.js";
import { WorldMap } from "../map.js";
import { Await, Empty, Facts, Kind, Left, Line, More, Segments, State, StoryCard, Sure, Text, Time } from "../parts.js";
import { changed, go, Link } from "../route.js";
import { number, plural, sameDay, sentence, sums, today, TYPES } from "../words.js";

const SPANS = [["24h", "24 hours"], ["3d", "3 days"], ["7d", "7 days"], ["all", "All"]];
const ORDERS = [["newest", "Latest"], ["sources", "Most sources"], ["confidence", "Surest"]];
const PAGE = 30;
const SCROLLED = 240; // px: someone further down is reading, so new stories wait above instead of pushing the text away

const LEADING = 3; // stories beside each other
const FEW = 8; // so few stories are seen at once, and none needs to lead
const BARS = 24; // hours of a day
const spanName = (span) => SPANS.find(([one]) => one === span)?.[1] ?? span;
const HOW = [
  ["2 sources", "publishers that report it independently; copies of one text count once"],
  ["79% sure", "how likely it was read correctly, not whether the report is true"],
  ["A → B", "A acts towards B"],
  ["planned", "told as a plan; also: denied, possible, past"],
  ["Headlines", "larger where more sources report it"],
];

/** Counts over time in, as many bars as the line has room for out: a first day is shown as one, and not as one broad bar. */
const bars = (buckets) => [...Array(BARS).fill(0), ...buckets.map((b) => b.count)].slice(-Math.max(BARS, Math.min(buckets.length, 3 * BARS)));

/** What came live, over what was loaded: new stories first, known ones in their newest revision. `top`: the list begins at its beginning. */
function merged(items, came, order, top) {
  const newest = new Map(items.map((one) => [one.id, one]));
  const added = [];
  for (const story of came.values()) {
    if (story.merged_into) newest.delete(story.id);
    else if (newest.has(story.id)) newest.set(story.id, story);
    else if (top) added.push(story);
  }
  const at = (one) => one.last_seen_at ?? one.at;
  added.sort((a, b) => at(b).localeCompare(at(a)));
  const all = [...added, ...newest.values()];
  return (order === "newest" ? all.sort((a, b) => at(b).localeCompare(at(a))) : all).slice(0, MOST);
}

/** Two maps of stories in, one out: the last that came at its end, and of too many the first gone. */
function joined(old, more, most = MOST) {
  const all = new Map(old);
  for (const [id, story] of more) { all.delete(id); all.set(id, story); }
  return new Map([...all].slice(-most));
}

function useArrivals(active, fits, pages) {
  const [came, setCame] = useState(new Map());
  const [held, setHeld] = useState(new Map());
  const show = (more) => setCame((old) => joined(old, more));
  const state = useLive(["stories"], (name, story) => {
    if (!fits(story)) return;
    if (scrollY > SCROLLED || pages.left) setHeld((old) => joined(old, [[story.id, story]]));
    else show([[story.id, story]]);
  }, active);
  const release = () => { show(held); setHeld(new Map()); pages.left ? pages.back() : scrollTo({ top: 0 }); };
  useEffect(() => { if (came.size >= MOST) { setCame(joined(came, [], PAGE)); pages.reload(); } }, [came]); // the server has them all by now
  const clear = () => { setCame(new Map()); setHeld(new Map()); };
  return { came, held, state, release, clear };
}

function List({ stories, fresh }) {
  let before = null;
  return html`<div class="cards">${stories.flatMap((story) => {
    const at = story.last_seen_at ?? story.at;
    const turn = before && !sameDay(before, at);
    before = at;
    const card = html`<${StoryCard} key=${story.id} story=${story} fresh=${fresh.has(story.id)} />`;
    return turn ? [html`<p class="daybreak" key=${today(at)}>${today(at)}</p>`, card] : [card]; // each with its key: what has the focus keeps it
  })}</div>`;
}

function Rail({ since, type, told }) {
  const events = useApi("/stories/histogram", { since, type, count: "happenings", interval: since === "24h" ? "hour" : "day" });
  const map = useApi("/stories/map", { since, type, with_events: told, zoom: 2 });
  const alerts = useApi("/alerts", { limit: 6, sort: "newest" });
  const points = (map.data?.clusters ?? []).map((one) => ({ ...one, href: `/search?of=stories${since ? `&since=${since}` : ""}&box=${one.box.join()}` }));
  const buckets = events.data?.buckets ?? [];
  const total = buckets.reduce((sum, b) => sum + b.count, 0);
  return html`<aside class="rail" aria-label="Around the stories">
    <section class="section"><h2>Where</h2><${WorldMap} points=${points} title="Stories by place" what=${["story", "stories"]} />
      ${map.data?.without_place ? html`<p class="soft small">${plural(map.data.without_place, "story", "stories")} without a place</p>` : null}</section>
    <section class="section"><header><h2>Alerts</h2><${Link} href="/alerts" class="small">All alerts<//></header>
      <${Await} from=${alerts} lines=${4}>${(data) => data.items.length
        ? html`<ul class="short">${data.items.map((one) => html`<li><p class="dotted small soft"><${Time} at=${one.raised_at} /><span>${one.rule}</span></p><${Link} href=${`/story/${one.story_id}`}><${Text}>${one.headline}<//><//></li>`)}</ul>`
        : html`<p class="soft">No rule has raised an alert yet. <${Link} href="/alerts/rules">See the rules<//></p>`}<//></section>
    <section class="section"><h2>Events</h2><${Await} from=${events} lines=${2}>${() => total
      ? html`<${Spark} full counts=${bars(buckets)} title=${`${plural(total, "event")} by ${events.data.interval}`} />
        <p class="soft small">${plural(total, "event")} ${since ? `in the last ${spanName(since)}` : "in all"}, one bar for each ${events.data.interval}</p>`
      : html`<p class="soft">None in this span.</p>`}<//></section>
    <section class="section"><h2>How to read this page</h2><${Facts} rows=${HOW} /></section>
  </aside>`;
}

/** The stories that most publishers report, so that the day is clear at first sight; not where the list begins with them anyway. */
function Leading({ since, type, told, first }) {
  const found = useApi("/stories", { since, type, with_events: told, sort: "sources", limit: LEADING });
  const stories = (found.data?.items ?? []).filter((one) => one.source_count > 1);
  if (stories.length < LEADING || found.data.total < FEW || stories.every((one) => first.includes(one.id))) return null;
  return html`<section class="leading" aria-label="Most reported"><h2>Most reported</h2><ol>${stories.map((story) => html`<li key=${story.id}>
    <p class="row over"><${Kind} item=${story} /><${State} item=${story} /></p>
    <h3 dir="auto"><${Link} href=${`/story/${story.id}`}>${story.headline || story.line}<//></h3>
    <${Line} item=${story} />
    <p class="dotted small soft"><span>${plural(story.source_count, "source")}</span><${Sure} value=${story.confidence} /></p></li>`)}</ol><${Extremes} since=${since} type=${type} told=${told} /></section>`;
}

/** The largest sum and the highest toll of the span: what a reader of the day must not miss, wherever the list has it. */
function Extremes({ since, type, told }) {
  const most = { since, type, with_events: told, limit: 1 };
  const [sum] = useApi("/stories", { ...most, sort: "money", money_at_least: 1 }).data?.items ?? [];
  const [toll] = useApi("/stories", { ...most, sort: "dead", dead_at_least: 1 }).data?.items ?? [];
  const found = [sum?.money.length && ["Largest sum", html`<span class="sum">${sums(sum.money)}</span>`, sum], toll?.dead && ["Most dead", html`<span class="toll">${number(toll.dead)}</span>`, toll]].filter(Boolean);
  return found.length ? html`<ul class="extremes" aria-label="Largest of the span">${found.map(([name, value, story]) => html`<li key=${name}><span class="soft">${name}:</span> ${value}, <${Link} href=${`/story/${story.id}`}><${Text}>${story.headline || story.line}<//><//></li>`)}</ul>` : null;
}

/** The kinds of news that there are, and the way to the stories that tell no event: recipes, results of matches. */
function Types({ since, type, told, choose, toggle }) {
  const facets = useApi("/stories/facets", { since, field: "type", size: 16 });
  const rest = useApi("/stories", { since, with_events: false, limit: 1 }).data?.total ?? 0;
  const values = facets.data?.facets?.type ?? [];
  if (values.length < 2 && !type && !rest && told) return null;
  return html`<div class="row types noprint" role="group" aria-label="Type of story">
    <button type="button" class="chip" aria-pressed=${String(!type)} onClick=${() => choose(null)}>All</button>
    ${values.map((one) => html`<button type="button" class="chip" aria-pressed=${String(type === one.value)} onClick=${() => choose(type === one.value ? null : one.value)}>${TYPES[one.value] ?? sentence(one.label)} <span class="count">${number(one.count)}</span></button>`)}
    ${type ? null : html`<button type="button" class="chip push" aria-pressed=${String(!told)} onClick=${toggle} title="Stories that tell no event of the kinds that Dateline knows: recipes, results of matches">Other news too <span class="count">${number(rest)}</span></button>`}
  </div>`;
}

export function Today({ query }) {
  const span = query.get("since") ?? "24h";
  const order = query.get("sort") ?? "newest";
  const type = query.get("type");
  const told = query.get("show") !== "all" || undefined; // news of events first; what tells none is one press away
  const since = span === "all" ? undefined : span;
  const [live, setLive] = useState(true);
  const ahead = useRef(0);
  const pages = usePages("/stories", { since, sort: order, type, with_events: told, limit: PAGE }, ahead);
  const { came, held, state, release, clear } = useArrivals(live, (story) => (type ? story.event_type === type : !told || Boolean(story.kind)), pages);
  useEffect(() => { document.title = "Today · Dateline"; }, []);
  useEffect(clear, [span, order, type, told]);
  const stories = useMemo(() => merged(pages.items, came, order, !pages.left), [pages.items, came, order]);
  const loaded = useMemo(() => new Set(pages.items.map((one) => one.id)), [pages.items]);
  const fresh = new Set([...came.keys()].filter((id) => !loaded.has(id)));
  ahead.current = fresh.size;
  const set = (changes) => go(changed(query, changes));
  const total = (pages.data?.total ?? 0) + fresh.size;
  return html`
    <div class="title"><div><h1>${today(Date.now())}</h1>
      <p class="soft" role="status">${pages.data ? html`${plural(total, "story", "stories")} ${since ? `in the last ${spanName(span)}` : "in all"}` : pages.error ? "" : "Loading…"}</p></div>
      <div class="row noprint">
        <button type="button" class=${`live ${state}`} aria-pressed=${String(live)} onClick=${() => setLive(!live)} title=${live ? "New stories come in by themselves; press to pause" : "Paused; press to go on"}>${!live ? "Paused" : state === "on" ? "Live" : "Connecting…"}</button>
        <${Segments} label="Span of time" options=${SPANS} value=${span} choose=${(one) => set({ since: one === "24h" ? null : one })} />
        <${Segments} label="Order" options=${ORDERS} value=${order} choose=${(one) => set({ sort: one === "newest" ? null : one })} />
      </div></div>
    <${Types} since=${since} type=${type} told=${told} choose=${(one) => set({ type: one })} toggle=${() => set({ show: told ? "all" : null })} />
    ${order === "newest" ? html`<${Leading} since=${since} type=${type} told=${told} first=${stories.slice(0, LEADING).map((one) => one.id)} />` : null}
    <div class="two"><div>
      ${held.size ? html`<div class="pending"><button type="button" class="main" onClick=${release}>Show ${held.size < MOST ? plural(held.size, "new story", "new stories") : "hundreds of new stories"}</button></div>` : null}
      <${Await} from=${pages}>${(data) => stories.length
        ? html`<${Left} pages=${pages} /><${List} stories=${stories} fresh=${fresh} /><${More} pages=${pages} shown=${stories.length} total=${Math.max(total, stories.length)} exact=${data.total_is_exact}>Choose a type or a shorter span above to see fewer.<//>`
        : html`<${Empty} title=${type || since ? "No story in this span yet" : "No story yet"}>
            <p>${since ? "Stories appear here as soon as an article reports an event. A longer span may have some." : "Stories appear here as soon as an article reports an event; after a start that takes about a minute."}</p>
            <p class="row">${since ? html`<button type="button" onClick=${() => set({ since: "all", type: null, show: "all" })}>Show all</button>` : null}<${Link} href="/sources" class="button">Look at the feeds<//></p><//>`}<//>
    </div><${Rail} since=${since} type=${type} told=${told} /></div>`;
}
