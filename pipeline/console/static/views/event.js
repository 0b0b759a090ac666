// Event: its sentence in the article, the words that fill each role, and why it was read so.

import { html, useEffect, useMemo, useRef } from "../vendor/ui.js";
import { useApi } from "../api.js";
import { Await, EventCard, Facts, Kind, Out, State, StoryCard, Sure, Text, Time } from "../parts.js";
import { Link } from "../route.js";
import { TOLD_AS, TYPES } from "../words.js";
import { known } from "./story.js";

const ROLES = { trigger: "Telling word", actor: "Actor", recipient: "Recipient", place: "Place", date: "Date", money: "Sum", quantity: "Count" };
const SENTENCES = new Set(["evidence", "mention"]);

/** Text and its spans in, pieces out: each with its offset, whether it is in a sentence of the event, and its role. Offsets count code points. */
export function pieces(text, spans) {
  const letters = Array.from(text);
  const own = spans.filter((one) => one.start < one.end && one.end <= letters.length);
  const cuts = [...new Set([0, letters.length, ...own.flatMap((one) => [one.start, one.end])])].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((start, n) => {
    const over = own.filter((one) => one.start <= start && one.end >= cuts[n + 1]);
    const roles = over.filter((one) => !SENTENCES.has(one.role)).sort((a, b) => (a.end - a.start) - (b.end - b.start));
    return { start, text: letters.slice(start, cuts[n + 1]).join(""), sentence: over.find((one) => SENTENCES.has(one.role))?.role ?? "", role: roles[0]?.role ?? "" };
  });
}

/** Pieces in, paragraphs of pieces out. */
function paragraphs(found) {
  const all = [[]];
  for (const piece of found) {
    piece.text.split(/\n+/).forEach((text, n) => {
      if (n) all.push([]);
      if (text) all.at(-1).push({ ...piece, text });
    });
  }
  return all.filter((one) => one.length);
}

function Piece({ piece }) {
  const role = piece.role ? html`<mark class=${`role ${piece.role}`} title=${ROLES[piece.role]}>${piece.text}<span class="unseen"> (${ROLES[piece.role]})</span></mark>` : piece.text;
  return piece.sentence ? html`<span class=${`said-so ${piece.sentence}`}>${role}</span>` : role;
}

function Article({ event }) {
  const { article, spans } = event;
  const ref = useRef(null);
  const parts = useMemo(() => article && {
    title: pieces(article.title, spans.filter((one) => one.section === "title")),
    text: paragraphs(pieces(article.text, spans.filter((one) => one.section === "text"))),
  }, [article]);
  useEffect(() => { // a sentence far down in a long article is brought to the eye, inside the article's own frame
    const sentence = ref.current?.querySelector(".said-so.evidence");
    if (sentence && sentence.offsetTop > ref.current.clientHeight * 0.7) ref.current.scrollTop = sentence.offsetTop - ref.current.clientHeight / 3;
  }, [parts]);
  if (!parts) return html`<p class="notice">The article is not in the index any more; the sentence is all that is kept.</p><blockquote class="quote big" dir="auto">${event.evidence}</blockquote>`;
  const used = Object.keys(ROLES).filter((role) => spans.some((one) => one.role === role));
  return html`
    <p class="row legend" aria-hidden="true"><span class="said-so evidence">The event's sentence</span>${used.map((role) => html`<mark class=${`role ${role}`}>${ROLES[role]}</mark>`)}</p>
    <article class="text" ref=${ref} tabindex="0" aria-label="The article">
      <h2 dir="auto">${parts.title.map((piece) => html`<${Piece} piece=${piece} />`)}</h2>
      <p class="dotted small soft"><${Text}>${article.publisher}<//>${article.published_at ? html`<${Time} at=${article.published_at} />` : null}<${Out} href=${article.url} /></p>
      ${parts.text.map((own) => html`<p dir="auto">${own.map((piece) => html`<${Piece} piece=${piece} />`)}</p>`)}
    </article>`;
}

const why = (event) => [
  ["Telling word", event.trigger ? html`“<bdi>${event.trigger}</bdi>”` : ""],
  ["Found by", event.rule === "reader" ? "the trained reader" : event.rule],
  ["How sure", html`<${Sure} value=${event.confidence} />`],
  ["Told as", TOLD_AS[event.modality] ?? event.modality],
  ["Said by", event.attributed_to ? html`<${Text}>${event.attributed_to}<//>` : ""],
  ["Date from", event.date?.text ? html`“<bdi>${event.date.text}</bdi>”, exact to the ${event.date.precision}` : ""],
  ["Type", `${TYPES[event.event_type] ?? event.event_type} (${event.event_type}${event.event_mode ? `, ${event.event_mode}` : ""})`],
  ["Contexts", event.contexts.join(", ")],
  ["PLOVER code", event.plover], ["CAMEO code", event.cameo],
  ["Read at", html`<${Time} at=${event.first_seen_at ?? event.at} />`],
];

function Page({ event }) {
  return html`<div class="two"><div>
      <p class="row over"><${Kind} item=${event} /><${State} item=${event} /></p>
      <h1 class="smaller" dir="auto">${event.evidence}</h1>
      <${Article} event=${event} />
    </div><aside class="rail" aria-label="About this event">
      <section class="section"><h2>What was read</h2><${Facts} rows=${known(event)} /></section>
      <section class="section"><h2>Why</h2><${Facts} rows=${why(event)} /></section>
      <section class="section compact"><h2>In the story</h2>${event.stories.length ? event.stories.map((one) => html`<${StoryCard} story=${one} level=${3} />`) : html`<p class="soft">It belongs to no story yet.</p>`}</section>
      ${event.others.length ? html`<section class="section compact"><h2>Also in this article</h2>${event.others.map((one) => html`<${EventCard} event=${one} />`)}</section>` : null}
      <p class="small"><${Link} href=${`/search?like=${event.id}`}>Search for more like this<//></p>
    </aside></div>`;
}

export function Event({ id }) {
  const found = useApi(`/events/${encodeURIComponent(id)}`);
  useEffect(() => { document.title = `${found.data?.kind_name ?? "Event"} · Dateline`; }, [found.data]);
  return html`<p class="back noprint"><${Link} href="/search">Search<//></p><${Await} from=${found}>${(event) => html`<${Page} event=${event} />`}<//>`;
}
