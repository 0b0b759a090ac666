// Relations: who does what to whom, as a matrix of counts or of change, and over time for the pair that is chosen.

import { html, useEffect, useMemo } from "../vendor/ui.js";
import { useApi } from "../api.js";
import { Bars } from "../charts.js";
import { Chips, conditions } from "../filters.js";
import { Await, Empty, Facts, Segments } from "../parts.js";
import { changed, go, Link } from "../route.js";
import { CONFLICT, dollars, number, plural, TYPES } from "../words.js";

const BY = [["country", "Countries"], ["name", "Names"]];
const SPANS = [["7d", "7 days"], ["30d", "30 days"], ["52w", "A year"], ["all", "All"]];
const SHOWN = [["count", "How often"], ["tone", "Conflict"], ["change", "Change"]];
const INTERVAL = { "7d": "day", "30d": "day", "52w": "week", all: "week" };
const SIZE = 20;
const FULL = 8; // from here on a pair may be as dark as it gets: of pairs with one event each none is outstanding

/** Later half less earlier half of the span, by the time of each bucket. */
function change(cell, middle) {
  return cell.buckets.reduce((sum, b) => sum + (Date.parse(b.at) >= middle ? b.count : -b.count), 0);
}

const conflict = (cell) => Object.entries(cell.types).reduce((sum, [type, count]) => sum + (CONFLICT.has(type) ? count : 0), 0) / cell.count;

/** A cell in, its words, its depth of colour (0 to 5) and its hue out. */
function look(cell, shown, most, middle) {
  if (shown === "change") {
    const by = change(cell, middle);
    return { text: by > 0 ? `+${by}` : String(by), hue: by > 0 ? "up" : by < 0 ? "down" : "none", depth: by ? Math.ceil((Math.abs(by) / most) * 5) : 0 };
  }
  const depth = Math.ceil(Math.sqrt(cell.count / Math.max(most, FULL)) * 5);
  if (shown === "tone") return { text: `${Math.round(conflict(cell) * 100)}%`, hue: conflict(cell) > 0.5 ? "against" : "with", depth };
  return { text: number(cell.count), hue: "often", depth };
}

function Matrix({ data, shown, chosen, choose }) {
  const cells = useMemo(() => new Map(data.cells.map((one) => [`${one.actor}\t${one.recipient}`, one])), [data]);
  const times = data.cells.flatMap((one) => one.buckets.map((b) => Date.parse(b.at)));
  const middle = times.length ? (times.reduce((a, b) => Math.min(a, b), Infinity) + times.reduce((a, b) => Math.max(a, b), 0)) / 2 : 0;
  const most = Math.max(1, ...data.cells.map((one) => (shown === "change" ? Math.abs(change(one, middle)) : one.count)));
  const what = { count: "events", tone: "the share of conflict among the events (accusations, threats, sanctions, attacks ...), red where it is more than half", change: "how many more or fewer events in the later half of the span, red where more" }[shown];
  return html`<div><p class="small soft matrix-says" id="matrix-says">Rows act, columns receive. Each number: ${what}; an event counts once, however many report it. Press one to see it over time.</p>
    <div class="scroll" tabindex="0" role="group" aria-label="Matrix of who acts on whom"><table class="matrix" aria-describedby="matrix-says">
    <thead><tr><td></td>${data.recipients.map((one) => html`<th scope="col"><span dir="auto">${one.label}</span></th>`)}</tr></thead>
    <tbody>${data.actors.map((actor) => html`<tr><th scope="row" dir="auto">${actor.label}</th>${data.recipients.map((recipient) => {
      const cell = cells.get(`${actor.value}\t${recipient.value}`);
      if (!cell) return html`<td></td>`;
      const { text, hue, depth } = look(cell, shown, most, middle);
      const here = chosen === cell;
      return html`<td><button type="button" class=${`cell ${hue} d${depth}`} aria-pressed=${String(here)} onClick=${() => choose(cell)} aria-label=${`${actor.label} to ${recipient.label}: ${text}`}>${text}</button></td>`;
    })}</tr>`)}</tbody></table></div></div>`;
}

/** Without the rows and columns in which nothing is: many act on nobody, and many are acted on by others only. */
function filled(data) {
  const [from, to] = [new Set(data.cells.map((one) => one.actor)), new Set(data.cells.map((one) => one.recipient))];
  return { ...data, actors: data.actors.filter((one) => from.has(one.value)), recipients: data.recipients.filter((one) => to.has(one.value)) };
}

function Pair({ cell, data, filters, by }) {
  const label = (list, value) => list.find((one) => one.value === value)?.label ?? value;
  const [from, to] = [label(data.actors, cell.actor), label(data.recipients, cell.recipient)];
  const types = Object.entries(cell.types).sort((a, b) => b[1] - a[1]);
  const search = changed(new URLSearchParams(), { ...filters, actor: cell.actor, recipient: cell.recipient }, "/search");
  const back = data.cells.find((one) => one.actor === cell.recipient && one.recipient === cell.actor);
  return html`<section class="section" aria-live="polite"><h2><span><bdi>${from}</bdi> → <bdi>${to}</bdi></span></h2>
    <${Bars} buckets=${cell.buckets} interval=${data.interval} title=${`${plural(cell.count, "event")} by ${data.interval}`} />
    <ul class="bars">${types.map(([type, count]) => html`<li><span>${TYPES[type] ?? type}</span><meter min="0" max=${cell.count} value=${count} class=${CONFLICT.has(type) ? "against" : "with"}></meter><span class="num">${number(count)}</span></li>`)}</ul>
    <${Facts} rows=${[["Sum, each event once", dollars(cell.amount_usd || null)], ["The other way", back ? plural(back.count, "event") : "none"]]} />
    <p class="actions"><${Link} class="button" href=${search}>See the reports<//></p></section>`;
}

export function Relations({ query }) {
  const span = query.get("since") ?? "30d";
  const by = query.get("by") ?? "country";
  const shown = query.get("show") ?? "count";
  const { since: _, ...others } = conditions(query);
  const filters = { ...others, ...(span === "all" ? {} : { since: [span] }) };
  const found = useApi("/stories/relations", { ...filters, by, size: SIZE, interval: INTERVAL[span] ?? "day" });
  const set = (changes) => go(changed(query, changes), { replace: true });
  useEffect(() => { document.title = "Relations · Dateline"; }, []);
  return html`
    <div class="title"><div><h1>Who to whom</h1><p class="soft">The ${by === "country" ? "countries" : "names"} that act most, and those they act upon.</p></div>
      <div class="row noprint"><${Segments} label="Span of time" options=${SPANS} value=${span} choose=${(one) => set({ since: one === "30d" ? null : one })} />
        <${Segments} label="By" options=${BY} value=${by} choose=${(one) => set({ by: one === "country" ? null : one, pair: null })} />
        <${Segments} label="Shown" options=${SHOWN} value=${shown} choose=${(one) => set({ show: one === "count" ? null : one })} /></div></div>
    <${Chips} query=${new URLSearchParams(Object.entries(others).flatMap(([name, all]) => all.map((one) => [name, one])))} change=${set} />
    <${Await} from=${found}>${(answer) => {
      const data = filled(answer);
      if (!data.cells.length) return html`<${Empty} title="No event with an actor and a recipient in this span"><p>A longer span may have some.</p><button type="button" onClick=${() => set({ since: "all" })}>Show all</button><//>`;
      const pair = query.get("pair")?.split("\t");
      const chosen = data.cells.find((one) => one.actor === pair?.[0] && one.recipient === pair?.[1]) ?? data.cells.reduce((a, b) => (b.count > a.count ? b : a));
      return html`<div class="two relations"><${Matrix} data=${data} shown=${shown} chosen=${chosen} choose=${(cell) => set({ pair: `${cell.actor}\t${cell.recipient}` })} />
        <aside class="rail" aria-label="The chosen pair"><${Pair} cell=${chosen} data=${data} filters=${filters} by=${by} /></aside></div>`;
    }}<//>`;
}
