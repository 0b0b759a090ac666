// Search: words and conditions in; counts by value and over time, a map, a list or a table out. The address holds the whole search.

import { html, useEffect, useState } from "../vendor/ui.js";
import { address, useApi, usePages } from "../api.js";
import { Bars } from "../charts.js";
import { Chips, conditions, Facet, Typed } from "../filters.js";
import { WorldMap } from "../map.js";
import { Await, Empty, EventCard, Left, More, Out, Segments, State, StoryCard, Text, Time } from "../parts.js";
import { changed, go, Link } from "../route.js";
import { calendarDay, dates, dollars, kindName, nameOf, number, percent, plural } from "../words.js";

const OF = [["events", "Events"], ["stories", "Stories"], ["articles", "Articles"]];
const SHOW = [["list", "List"], ["table", "Table"], ["map", "Map"]];
const SPANS = [["24h", "24 h"], ["7d", "7 d"], ["30d", "30 d"], ["", "All"]];
const ORDERS = { relevance: "Best match", newest: "Newest", oldest: "Oldest", money: "Largest sum", dead: "Most dead", confidence: "Surest", sources: "Most sources" };
const NOT_FOR = { events: ["sources"], stories: [], articles: ["money", "dead", "confidence", "sources"] };
const FACETS = {
  events: [["kind", "Kind"], ["modality", "Told as"], ["actor", "Actor"], ["recipient", "Recipient"], ["country", "Country"], ["place", "Place"], ["source", "Publisher"], ["language", "Language"]],
  stories: [["kind", "Kind"], ["phase", "Phase"], ["actor", "Actor"], ["recipient", "Recipient"], ["country", "Country"], ["place", "Place"], ["source", "Publisher"]],
  articles: [["country", "Country"], ["place", "Place"], ["source", "Publisher"], ["language", "Language"]],
};
const EXPORTS = { events: ["csv", "jsonl", "geojson", "parquet", "plover", "cameo", "acled"], stories: ["csv", "jsonl", "geojson", "parquet"], articles: ["csv", "jsonl", "parquet"] };
const FORMATS = { csv: "CSV, for a spreadsheet", jsonl: "JSON lines", geojson: "GeoJSON, for a map", parquet: "Parquet", plover: "PLOVER table", cameo: "CAMEO table", acled: "ACLED-like table" };
const COUNTS = {
  events: "Numbers count reports: an event that three articles report counts three times.",
  stories: "Numbers count stories, however many articles each has.",
  articles: "Numbers count articles.",
};
const FOUND = { events: ["report of an event", "reports of events"], stories: ["story", "stories"], articles: ["article", "articles"] };
const PAGE = 40;
const STRAYS = 0.02; // so small a share of the results is left out of the chart, and said

function ArticleCard({ article }) {
  return html`<article class="card w1"><p class="stamp"><${Time} at=${article.published_at ?? article.at} /></p><div class="body">
    <h2 class="headline" dir="auto"><${Out} href=${article.url}>${article.title || article.url}<//></h2>
    ${article.excerpt ? html`<p class="quote" dir="auto">${article.excerpt}</p>` : null}
    <p class="dotted foot"><span><${Text}>${article.publisher}<//></span>${article.language ? html`<span>${article.language}</span>` : null}<${Link} href=${`/search?article_id=${article.id}`}>Its events<//></p></div></article>`;
}

const CARD = { events: (one) => html`<${EventCard} key=${one.id} event=${one} level=${2} />`, stories: (one) => html`<${StoryCard} key=${one.id} story=${one} />`, articles: (one) => html`<${ArticleCard} key=${one.id} article=${one} />` };
const names = (list) => html`<bdi>${list.map(nameOf).join(", ")}</bdi>`;

function Table({ items, of }) {
  if (of === "articles") {
    return html`<div class="scroll"><table class="wide"><thead><tr><th scope="col">Published</th><th scope="col">Title</th><th scope="col">Publisher</th><th scope="col">Language</th></tr></thead>
      <tbody>${items.map((one) => html`<tr key=${one.id}><td class="nowrap"><${Time} at=${one.published_at ?? one.at} /></td><td><${Out} href=${one.url}>${one.title || one.url}<//></td><td><${Text}>${one.publisher}<//></td><td>${one.language}</td></tr>`)}</tbody></table></div>`;
  }
  const stories = of === "stories";
  return html`<div class="scroll"><table class="wide"><thead><tr><th scope="col">${stories ? "Last report" : "Reported"}</th><th scope="col">Kind</th><th scope="col">${stories ? "Headline" : "Sentence"}</th><th scope="col">Actor</th><th scope="col">Recipient</th><th scope="col">Place</th><th scope="col">Date</th>
      <th scope="col" class="num">Sum</th><th scope="col" class="num">Dead</th><th scope="col">${stories ? "Sources" : "Publisher"}</th><th scope="col" class="num">Sure</th></tr></thead>
    <tbody>${items.map((one) => html`<tr key=${one.id}><td class="nowrap"><${Time} at=${one.last_seen_at ?? one.published_at ?? one.at} /></td><td>${kindName(one)} <${State} item=${one} /></td>
      <td class="words"><${Link} class="row-link" href=${`/${stories ? "story" : "event"}/${one.id}`}><${Text}>${stories ? one.headline : one.evidence}<//><//></td>
      <td>${names(one.actors)}</td><td>${names(one.recipients)}</td><td>${names(one.places.slice(0, 2))}</td><td class="nowrap">${dates(one.date)}</td>
      <td class="num">${dollars(one.amount_usd)}</td><td class="num">${one.dead != null ? number(one.dead) : ""}</td><td>${stories ? number(one.source_count) : html`<${Text}>${one.publisher}<//>`}</td><td class="num">${one.confidence != null ? percent(one.confidence) : ""}</td></tr>`)}</tbody></table></div>`;
}

function MapOf({ of, filters, change }) {
  const [zoom, setZoom] = useState(2);
  const map = useApi(`/${of}/map`, { ...filters, zoom });
  return html`<${Await} from=${map}>${(data) => html`
    <${WorldMap} title="Results by place" what=${FOUND[of]} points=${data.clusters.map((one) => ({ ...one, href: changed(new URLSearchParams(location.search), { box: one.box.join(), show: null }) }))}
      zoomed=${(now) => setZoom(Math.min(12, now + 1))} search=${(box) => change({ box: box?.join() ?? null })} fit=${Boolean(filters.box)} narrowed=${Boolean(filters.box)} />
    ${data.clusters.length || data.without_place ? html`<p class="soft small">${number(data.clusters.reduce((sum, one) => sum + one.count, 0))} on the map, ${number(data.without_place)} without a place. A mark leads to its ${of}; one with a ring stands for several places, and lists them.</p>` : html`<p role="status"><strong>Nothing matches this search</strong>, so nothing is on the map.</p>`}`}<//>`;
}

function Export({ of, filters }) {
  return html`<details class="menu"><summary class="button">Export</summary><ul>${EXPORTS[of].map((format) => html`<li><a href=${address(`/${of}/export`, { ...filters, format })} download>${FORMATS[format]}</a></li>`)}
    <li class="soft small">All results, without a limit</li></ul></details>`;
}

function Facets({ of, filters, query, change }) {
  const fields = FACETS[of];
  const facets = useApi(`/${of}/facets`, { ...filters, field: fields.map(([name]) => name), size: 25 });
  if (facets.error?.passing) return null; // the results beside it say so
  const none = facets.data && fields.every(([name]) => !facets.data.facets[name]?.length);
  return html`${none ? null : html`<p class="soft small facets">${COUNTS[of]}</p>`}<${Await} from=${facets} lines=${14}>${(data) => fields.map(([name, title]) => html`<${Facet} key=${name} title=${title} name=${name} values=${data.facets[name] ?? []} query=${query} change=${change} />`)}<//>`;
}

/** Where the bulk of the buckets begins, if a few strays (an article of 1998) lie so far before it that nothing could be seen. */
function bulk({ buckets }) {
  const total = buckets.reduce((sum, one) => sum + one.count, 0);
  let before = 0;
  const first = buckets.findIndex((one) => (before += one.count) > total * STRAYS);
  const [start, at, end] = [buckets[0], buckets[first], buckets.at(-1)].map((one) => Date.parse(one?.at));
  const left = before - (buckets[first]?.count ?? 0);
  return left && at - start > (end - start) / 2 ? { since: buckets[first].at, left } : null;
}

function Over({ of, filters, change }) {
  const whole = useApi(`/${of}/histogram`, { ...filters, interval: "auto" });
  const part = whole.data && bulk(whole.data);
  const near = useApi(part ? `/${of}/histogram` : null, { ...filters, since: part?.since, interval: "auto" });
  const data = part ? near.data : whole.data;
  if (!data || data.buckets.length < 2) return null;
  return html`${part ? html`<p class="soft small">${number(part.left)} before ${calendarDay(part.since)} not shown</p>` : null}<${Bars} buckets=${data.buckets} interval=${data.interval} title=${`${of === "events" ? "Reports of events" : OF.find(([one]) => one === of)[1]} by ${data.interval}`}
    choose=${(from, to) => change({ since: from.toISOString().slice(0, 19) + "Z", until: to.toISOString().slice(0, 19) + "Z" })} />`;
}

function Results({ of, show, sort, filters, change }) {
  const pages = usePages(`/${of}`, { ...filters, sort, limit: PAGE });
  const total = pages.data?.total ?? 0;
  if (show === "map" && of !== "articles") return html`<${MapOf} of=${of} filters=${filters} change=${change} />`;
  return html`<${Await} from=${pages}>${(data) => !pages.items.length
    ? Object.keys(filters).length
      ? html`<${Empty} title="Nothing matches this search"><p>${Object.keys(filters).length > 1 ? "Take a condition out above, or choose a longer span of time." : "Fewer or other words may find it; names are found in their usual English form."}</p>
        ${of === "articles" ? null : html`<button type="button" onClick=${() => change({ of: "articles", sort: null, show: null })}>Search the articles themselves</button>`}<//>`
      : html`<${Empty} title=${`No ${of} yet`}><p>They are found here as soon as articles are read. <${Link} href="/sources">Sources<//> shows which feeds are read, and whether they answer.</p><//>`
    : html`<p class="found" role="status"><strong>${plural(total, ...FOUND[of])}</strong>${data.total_is_exact === false ? " or more" : ""}</p><${Left} pages=${pages} />${show === "table" ? html`<${Table} items=${pages.items} of=${of} />` : html`<div class="cards">${pages.items.map(CARD[of])}</div>`}
      <${More} pages=${pages} shown=${pages.items.length} total=${Math.max(total, pages.items.length)} exact=${data.total_is_exact}>Narrow the search to see fewer, or press Export to have all of them.<//>`}<//>`;
}

export function Search({ query }) {
  const of = OF.some(([one]) => one === query.get("of")) ? query.get("of") : "events";
  const show = query.get("show") ?? "list";
  const filters = conditions(query);
  const sort = query.get("sort") ?? undefined;
  const change = (changes) => go(changed(query, changes));
  const orders = Object.entries(ORDERS).filter(([one]) => !NOT_FOR[of].includes(one) && (one !== "relevance" || filters.q || filters.like));
  useEffect(() => { document.title = `${query.get("q") ?? "Search"} · Dateline`; }, [query]);
  const wide = matchMedia("(min-width: 46.01rem)").matches;
  return html`
    <div class="title"><h1>${query.get("q") ? html`Search for <bdi>${query.get("q")}</bdi>` : "Search"}</h1>
      <div class="row noprint"><${Export} of=${of} filters=${filters} />
        ${of === "articles" ? null : html`<${Link} class="button" href=${changed(new URLSearchParams(Object.entries(filters).flatMap(([name, all]) => all.map((one) => [name, one]))), {}, "/alerts/rules/new")}>Save as alert rule<//>`}</div></div>
    <div class="row searchbar noprint">
      <${Segments} label="What to search" options=${OF} value=${of} choose=${(one) => change({ of: one === "events" ? null : one, sort: null })} />
      <${Segments} label="Reported in the last" options=${SPANS} value=${query.get("until") ? null : query.get("since") ?? ""} choose=${(one) => change({ since: one || null, until: null })} />
      <${Segments} label="Show as" options=${SHOW.slice(0, of === "articles" ? 2 : 3)} value=${show} choose=${(one) => change({ show: one === "list" ? null : one })} />
      ${show === "map" ? null : html`<label class="row push small">Order <select value=${sort ?? orders[0][0]} onChange=${(event) => change({ sort: event.target.value === orders[0][0] ? null : event.target.value })}>${orders.map(([one, words]) => html`<option value=${one}>${words}</option>`)}</select></label>`}
    </div>
    <${Chips} query=${query} change=${change} />
    <div class="search">
      <aside class="noprint" aria-label="Conditions">
        <details class="narrow" open=${wide}><summary class="label">Narrow the search</summary>
          <details class="facets" open=${["actor", "recipient", "money_at_least", "happened_since"].some((one) => query.has(one))}><summary class="small">More conditions</summary><${Typed} query=${query} change=${change} of=${of} /></details>
          <${Facets} of=${of} filters=${filters} query=${query} change=${change} /></details></aside>
      <div><${Over} of=${of} filters=${filters} change=${change} /><${Results} of=${of} show=${show} sort=${sort} filters=${filters} change=${change} /></div>
    </div>`;
}
