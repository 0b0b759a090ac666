// Story: what is known, how it became known, who says what, where, and what is near it.

import { html, useEffect, useState } from "../vendor/ui.js";
import { address, send, useApi, useLive } from "../api.js";
import { WorldMap } from "../map.js";
import { Act, Await, Facts, Kind, moneyWithDollars, Operator, Out, Publishers, Quote, State, StoryCard, Sure, Text, Time, Who } from "../parts.js";
import { Link } from "../route.js";
import { dates, dollars, HELD, kindName, nameOf, number, plural, sentence } from "../words.js";

const Places = ({ places }) => places.map((p, n) => html`${n ? ", " : ""}<bdi>${nameOf(p)}</bdi>${p.country_name && p.country_name !== nameOf(p) ? html` <span class="soft">(${p.country_name})</span>` : null}`);

export function known(item) {
  return [
    ["Who", item.actors.length || item.recipients.length ? html`<${Who} item=${item} />` : ""],
    ["Where", item.places.length ? html`<${Places} places=${item.places} />` : ""],
    ["When", dates(item.date)],
    ["Sum", item.money.length ? item.money.map((sum, n) => html`${n ? ", " : ""}${moneyWithDollars(sum)}`) : ""],
    ["Dead", item.dead != null ? number(item.dead) : ""],
    ["Injured", item.injured != null ? number(item.injured) : ""],
    ["Counted", item.quantities.filter((q) => !/^(dead|injured)$/.test(q.unit)).slice(0, 4).map((q) => `${number(q.value)} ${q.unit}`).join(", ")],
    ["Goods", item.items.length ? html`<${Text}>${item.items.join(", ")}<//>` : ""],
  ];
}

/** What happened inside the story, oldest first: each with its line or sentence, its state and who told it. */
function Happenings({ story }) {
  const all = [...story.happenings].sort((a, b) => a.first_seen_at.localeCompare(b.first_seen_at));
  return html`<ol class="timeline">${all.map((one) => html`<li class=${one.background ? "background" : ""}>
    <p class="dotted small soft"><${Time} at=${one.first_seen_at} /><${Kind} item=${one} /><${State} item=${one} />${one.background ? html`<span>background</span>` : null}<span>${plural(one.source_count, "source")}</span></p>
    <p dir="auto">${one.line || one.evidence || kindName(one)}</p>
    ${one.line && one.evidence ? html`<${Quote} text=${one.evidence} />` : null}
    ${(one.timeline ?? []).slice(1).map((moment) => html`<p class="small soft"><${Time} at=${moment.at} />: <bdi>${moment.what}</bdi></p>`)}
    ${one.event_ids?.length ? html`<p class="small"><${Link} href=${`/event/${one.event_ids[0]}`}>See it in the article<//></p>` : null}</li>`)}</ol>`;
}

function Timeline({ story }) {
  if (story.happenings?.length) return html`<${Happenings} story=${story} />`;
  if (!story.timeline.length) return html`<p class="soft">Nothing is recorded yet.</p>`;
  return html`<ol class="timeline">${story.timeline.map((moment) => html`<li><${Time} at=${moment.at} /><p dir="auto">${sentence(moment.what)}</p></li>`)}</ol>`;
}

/** The story's articles by publisher, each with what was read in it; without a list of articles, those of the reports. */
function byPublisher({ articles, reports }) {
  const read = Object.groupBy(reports, (one) => one.article_id);
  const listed = articles?.length ? articles : Object.values(read).map(([one]) => ({ ...one, id: one.article_id }));
  const groups = Object.groupBy(listed, (one) => one.publisher || one.source || "unknown publisher");
  return Object.entries(groups).map(([publisher, own]) => [publisher, own.map((one) => ({ ...one, reports: read[one.id] ?? [] }))]);
}

function Articles({ story }) {
  const groups = byPublisher(story);
  if (!groups.length) return html`<p class="soft">No article is kept.</p>`;
  return html`<div class="publishers">${groups.map(([publisher, own]) => html`<section>
    <h3><${Text}>${publisher}<//></h3>
    <ul>${own.map((one) => html`<li>
      <p class="dotted small soft"><${Time} at=${one.published_at ?? one.seen_at} />${one.credit && one.credit !== publisher ? html`<span>text of <bdi>${one.credit}</bdi></span>` : null}${one.copy_of ? html`<span>copy of <bdi>${(story.articles ?? []).find((other) => other.id === one.copy_of)?.publisher || "another article"}</bdi></span>` : null}</p>
      <p class="report-title" dir="auto"><${Out} href=${one.url}>${one.title || one.url}<//></p>
      ${one.reports.slice(0, 3).map((report) => html`<div><${Quote} text=${report.evidence} />
        <p class="dotted small soft"><${Link} href=${`/event/${report.event_id}`}>See it in the article<//>${report.attributed_to ? html`<span>said by <bdi>${report.attributed_to}</bdi></span>` : null}<${State} item=${report} /><${Sure} value=${report.confidence} /></p></div>`)}
    </li>`)}</ul></section>`)}</div>`;
}

const ABOUT = { amount_usd: "Sum", money: "Sum", dead: "Dead", injured: "Injured", modality: "Whether it happened" };

function told(field, value) {
  const amount = Number(value.replaceAll(",", ""));
  if (Number.isNaN(amount)) return value;
  return field === "amount_usd" || field === "money" ? dollars(amount) : number(amount);
}

function Disagreements({ found }) {
  return html`<div class="scroll"><table><thead><tr><th scope="col">About</th><th scope="col">Value</th><th scope="col">Who says so</th></tr></thead><tbody>
    ${found.flatMap((one) => one.values.map((value, n) => html`<tr>${n ? null : html`<th scope="rowgroup" class="row-head" rowspan=${one.values.length}>${ABOUT[one.field] ?? sentence(one.field.replaceAll("_", " "))}</th>`}<td><${Text}>${told(one.field, value.value)}<//></td><td><${Publishers} names=${value.publishers} limit=${6} /></td></tr>`))}
  </tbody></table></div>`;
}

function Around({ story }) {
  const points = story.places.filter((p) => p.lat != null).map((p) => ({ ...p, label: nameOf(p), count: 1 }));
  return html`<aside class="rail" aria-label="Around this story">
    ${points.length ? html`<section class="section"><h2>Where</h2><${WorldMap} points=${points} title=${`Map: ${points.map((p) => p.label).join(", ")}`} /></section>` : null}
    <section class="section"><h2>Alerts</h2>${story.alerts.length
      ? html`<ul class="short">${story.alerts.map((one) => html`<li><p class="dotted small soft"><${Time} at=${one.raised_at} /><span>${one.rule}</span>${one.held ? html`<span>${HELD[one.held] ?? one.held}</span>` : null}</p><${Text}>${one.headline}<//></li>`)}</ul>`
      : html`<p class="soft">No rule raised an alert for this story.</p>`}</section>
    <section class="section compact"><h2>Related</h2>${story.related.length
      ? html`<div>${story.related.map((one) => html`<${StoryCard} story=${one} level=${3} />`)}</div>` : html`<p class="soft">No other story is near this one.</p>`}
      <p class="small"><${Link} href=${`/search?of=stories&like=${story.id}`}>Search for more like this<//></p></section>
  </aside>`;
}

/** The sentence that the story was read from, who wrote it, and the way to it in its article. */
function Proof({ story }) {
  const report = story.reports.find((one) => one.evidence === story.evidence);
  return html`<${Quote} text=${story.evidence} />
    ${report ? html`<p class="dotted small soft proof"><span><${Text}>${report.publisher || report.source}<//></span><${Link} href=${`/event/${report.event_id}`}>See it in the article<//></p>` : null}`;
}

function Page({ story, reload }) {
  return html`<div class="two"><div>
    <p class="row over"><${Kind} item=${story} /><${State} item=${story} />${story.merged_into ? html`<${Link} href=${`/story/${story.merged_into}`}>Now part of another story<//>` : null}</p>
    <h1 dir="auto">${story.headline || story.line}</h1>
    <p class="dotted soft lead"><span>${plural(story.source_count, "independent source")}</span><span>${plural(story.article_count, "article")}</span><${Sure} value=${story.kind ? story.confidence : null} /><span>first seen <${Time} at=${story.first_seen_at} /></span><span>last <${Time} at=${story.last_seen_at} /></span></p>
    <${Proof} story=${story} />
    <${Facts} rows=${known(story)} />
    <p class="row noprint actions">
      <a class="button" href=${address("/events/export", { story_id: story.id, format: "csv" })} download>Export events as CSV</a>
      <${Operator}><${Act} run=${async () => { await send("POST", "/mutes", { name: story.id, for: null, note: "" }); reload(); }} done="No more alerts for this story. Alerts, Mutes ends it.">Mute this story<//><//>
      <button type="button" onClick=${() => print()}>Print</button></p>
    ${story.disagreements.length ? html`<section class="section"><h2>Where the sources disagree</h2><${Disagreements} found=${story.disagreements} /></section>` : null}
    <section class="section"><h2>${story.happenings?.length ? "What happened" : "How it became known"}</h2><${Timeline} story=${story} /></section>
    <section class="section"><h2>Articles by publisher</h2><${Articles} story=${story} /></section>
  </div><${Around} story=${story} /></div>`;
}

export function Story({ id }) {
  const found = useApi(`/stories/${encodeURIComponent(id)}`);
  const [fresher, setFresher] = useState(false);
  useLive(["stories"], (_, story) => story.id === id && setFresher(true));
  useEffect(() => { document.title = `${found.data?.headline ?? "Story"} · Dateline`; }, [found.data]);
  const again = () => { setFresher(false); found.reload(); };
  return html`<p class="back noprint"><${Link} href="/">Today<//></p>
    ${fresher ? html`<p class="notice good" role="status">This story has grown. <button type="button" onClick=${again}>Show the newest</button></p>` : null}
    <${Await} from=${found}>${(story) => html`<${Page} story=${story} reload=${found.reload} />`}<//>`;
}
