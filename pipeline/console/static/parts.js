// The small parts that every view is made of. Text from feeds is always a text node with its own direction, never markup.

import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/ui.js";
import { MOST, useOperator } from "./api.js";
import { Link } from "./route.js";
import { ago, dates, dollars, fullTime, hostOf, kindName, money, nameOf, number, percent, plural, safeUrl, sentence, STATES, sums, when } from "./words.js";

/** Text of a feed: its direction is its own. */
export const Text = ({ children }) => html`<bdi>${children}</bdi>`;

export function Time({ at, relative = false }) {
  if (!at) return html`<span class="soft">never</span>`;
  return html`<time datetime=${at} title=${fullTime(at)}>${relative ? ago(at) : when(at)}</time>`;
}

/** A link to another site, which opens beside the page; an address that is none stays text. */
export function Out({ href, children }) {
  const url = safeUrl(href);
  const words = children ?? hostOf(href);
  if (!url) return html`<${Text}>${words}<//>`;
  return html`<a class="out" href=${url} target="_blank" rel="noopener noreferrer nofollow"><${Text}>${words}<//><span class="unseen"> (other site)</span></a>`;
}

export function State({ item }) {
  const state = item.phase === "ended" ? "ended" : item.phase === "planned" ? "planned" : item.modality;
  return STATES[state] ? html`<span class=${`state ${state}`}>${STATES[state]}</span>` : null;
}

export const Kind = ({ item }) => html`<span class="kind">${kindName(item)}</span>`;

/** How sure: a bar of five and the share in words. */
export function Sure({ value }) {
  if (value == null) return null;
  const on = Math.round(value * 5);
  return html`<span><span class="sure" title="The probability that the text was read correctly, not that it is true">
    <svg width="29" height="9" aria-hidden="true">${[0, 1, 2, 3, 4].map((n) => html`<rect class=${n < on ? "on" : ""} x=${n * 6} y="0" width="5" height="9" />`)}</svg>
    ${percent(value)} sure</span></span>`;
}

const Names = ({ parties }) => parties.slice(0, 4).map((party, n) => html`${n ? ", " : ""}<bdi class="party">${nameOf(party)}</bdi>`);

/** Who did it to whom. */
export function Who({ item }) {
  const { actors, recipients } = item;
  if (!actors.length && !recipients.length) return null;
  const more = (list) => (list.length > 4 ? ` +${list.length - 4}` : "");
  return html`<span class="who">
    <${Names} parties=${actors} />${more(actors)}
    ${recipients.length ? html`<span class="arrow" aria-label=" to ">${actors.length ? " → " : "→ "}</span><${Names} parties=${recipients} />${more(recipients)}` : null}
  </span>`;
}

/** The structured line: who to whom, sum, toll, place and date, as far as known. */
export function Line({ item }) {
  const place = item.places.find((one) => one.name || one.text);
  const toll = [item.dead != null && `${number(item.dead)} dead`, item.injured != null && `${number(item.injured)} injured`].filter(Boolean).join(", ");
  return html`<p class="dotted line">
    <${Who} item=${item} />
    ${item.money.length ? html`<span class="sum">${sums(item.money)}</span>` : null}
    ${toll ? html`<span class="toll">${toll}</span>` : null}
    ${place ? html`<span><${Text}>${nameOf(place)}<//></span>` : null}
    ${item.date ? html`<span class="nowrap">${dates(item.date)}</span>` : null}
  </p>`;
}

export function Quote({ text }) {
  return text ? html`<blockquote class="quote" dir="auto">${text}</blockquote>` : null;
}

export function Publishers({ names, limit = 3 }) {
  return html`${names.slice(0, limit).map((name, n) => html`${n ? ", " : ""}<bdi>${name}</bdi>`)}${names.length > limit ? ` and ${names.length - limit} more` : ""}`;
}

const weight = (story) => (story.source_count >= 5 ? 3 : story.source_count >= 2 ? 2 : 1);

/** A story in a list. */
export function StoryCard({ story, fresh = false, level = 2 }) {
  return html`<article class=${`card w${weight(story)}${fresh ? " fresh" : ""}`} data-id=${story.id}>
    <p class="stamp"><${Time} at=${story.last_seen_at ?? story.at} /></p>
    <div class="body">
      <p class="row over"><${Kind} item=${story} /><${State} item=${story} />${fresh ? html`<span class="state good">new</span>` : null}</p>
      <${`h${level}`} class="headline" dir="auto"><${Link} href=${`/story/${story.id}`} class="card-link">${story.headline || story.line || kindName(story)}<//><//>
      <${Line} item=${story} />
      <${Quote} text=${story.evidence} />
      <p class="dotted foot"><span>${plural(story.source_count, "source")}: <${Publishers} names=${story.publishers} /></span>${safeUrl(story.url) ? html`<span><${Out} href=${story.url}>article<//></span>` : null}<${Sure} value=${story.kind ? story.confidence : null} /></p>
    </div>
  </article>`;
}

/** An event in a list. */
export function EventCard({ event, level = 3 }) {
  return html`<article class="card w1" data-id=${event.id}>
    <p class="stamp"><${Time} at=${event.published_at ?? event.at} /></p>
    <div class="body">
      <p class="row over"><${Kind} item=${event} /><${State} item=${event} /></p>
      <${`h${level}`} class="saying" dir="auto"><${Link} href=${`/event/${event.id}`} class="card-link">${event.evidence}<//><//>
      <${Line} item=${event} />
      <p class="dotted foot"><span><${Text}>${event.publisher || hostOf(event.url)}<//></span>${event.title ? html`<span><${Text}>${event.title}<//></span>` : null}<${Sure} value=${event.confidence} /></p>
    </div>
  </article>`;
}

/** One of a few choices, as buttons beside each other. `options` are [value, words] pairs. */
export function Segments({ label, options, value, choose }) {
  return html`<div class="segments" role="group" aria-label=${label}>
    ${options.map(([one, words]) => html`<button type="button" aria-pressed=${String(one === value)} onClick=${() => choose(one)}>${words}</button>`)}
  </div>`;
}

// --- waiting, nothing, trouble ---

export function Bones({ lines = 9 }) {
  const [late, setLate] = useState(false); // a bone that shows for a tenth of a second only flickers
  useEffect(() => { const timer = setTimeout(() => setLate(true), 200); return () => clearTimeout(timer); }, []);
  return html`<div class="bones" aria-hidden="true">${late ? Array.from({ length: lines }, () => html`<i></i>`) : null}</div>`;
}

/** Words of the server in, a sentence out. */
export const said = (message) => sentence(/[.!?]$/.test(message) ? message : `${message}.`);

export function Fault({ error, again }) {
  return html`<div class="notice bad" role="alert">
    <p><strong>${said(error.message)}</strong>${error.where ? html` <span class="soft">(${error.where})</span>` : null}</p>
    ${error.passing ? html`<p class="soft small">It is tried again every few seconds.</p>` : null}
    ${error.status === 404 ? html`<p class="soft small">It may have left the index, or the address may be incomplete. <${Link} href="/search">Search<//> finds what there is.</p>` : null}
    ${again && error.status !== 404 ? html`<button type="button" onClick=${again}>Try again</button>` : null}
  </div>`;
}

export function Empty({ title, children }) {
  return html`<div class="empty"><h2>${title}</h2>${children}</div>`;
}

/** What was asked for: bones while it is on its way, the trouble if there is one, then the children with the data. */
export function Await({ from, lines, children }) {
  const { data, error, loading, slow, reload } = from;
  return html`
    ${error ? html`<${Fault} error=${error} again=${reload} />` : null}
    ${slow && !error ? html`<p class="notice" role="status">The server is slow; still waiting.</p>` : null}
    ${data ? children(data) : loading && !error ? html`<${Bones} lines=${lines} />` : null}`;
}

/** Above a list whose first entries have left the page. */
export function Left({ pages }) {
  return pages.left ? html`<p class="left row small" role="status">The first ${number(pages.left)} have left the page, which keeps ${number(MOST)}. <button type="button" onClick=${pages.back}>Back to the first</button></p>` : null;
}

/** Below a list: how much of it is shown, and the way to more. The children say how to do without hundreds of entries. */
export function More({ pages, shown, total, exact = true, children }) {
  const { left, next, busy } = pages;
  return html`<div class="more row">
    <p class="soft small" role="status">${left ? `${number(left + 1)} to ${number(left + shown)}` : number(shown)} of ${number(total)}${exact ? "" : " or more"} shown${left ? html`. ${children}` : null}</p>
    ${next ? html`<button type="button" aria-disabled=${String(busy)} onClick=${pages.more}>${busy ? "Loading…" : "Show more"}</button>` : null}
    ${pages.moreError ? html`<${Fault} error=${pages.moreError} />` : null}
  </div>`;
}

// --- dialogs and messages ---

export function Dialog({ title, open, close, children }) {
  const ref = useRef(null);
  useLayoutEffect(() => {
    if (open && !ref.current.open) ref.current.showModal();
    if (!open && ref.current.open) ref.current.close();
  }, [open]);
  return html`<dialog ref=${ref} aria-label=${title} onClose=${close} onClick=${(e) => e.target === ref.current && close()}>
    ${open ? html`<div class="dialog"><header class="row"><h2>${title}</h2><button type="button" class="plain push" onClick=${close}>Close</button></header>${children}</div>` : null}
  </dialog>`;
}

let speak = () => {};
/** Say in a line what was done; it is read aloud by screen readers. */
export const say = (text, bad = false) => speak({ text, bad, at: Date.now() });

export function Messages() {
  const [said, setSaid] = useState(null);
  speak = setSaid;
  useEffect(() => {
    if (!said || said.bad) return undefined;
    const timer = setTimeout(() => setSaid(null), 6000);
    return () => clearTimeout(timer);
  }, [said]);
  return html`<div class="messages" role="status" aria-live="polite">${said
    ? html`<p class=${said.bad ? "said bad" : "said"}>${said.text} <button type="button" class="plain" onClick=${() => setSaid(null)}>Dismiss</button></p>` : null}</div>`;
}

/** A button that runs a change once, and says what went wrong. */
export function Act({ run, done, children, ...rest }) {
  const [busy, setBusy] = useState(false);
  const click = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await run();
      if (done) say(done);
    } catch (error) {
      say(error.message, true);
    } finally {
      setBusy(false);
    }
  };
  return html`<button type="button" ...${rest} aria-disabled=${String(busy)} onClick=${click}>${children}</button>`; // not disabled: that would take the focus away
}

/** What only operators may do; a reader of the role `read` does not see it. */
export function Operator({ children }) {
  return useOperator() ? children : null;
}

/** Names and values in two columns; empty values are left out. */
export function Facts({ rows }) {
  return html`<dl class="facts">${rows.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false)
    .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

export const moneyWithDollars = (sum) => html`${money(sum)}${sum.currency !== "USD" && sum.usd ? html` <span class="soft">(about ${dollars(sum.usd)})</span>` : null}`;
