// The conditions of a search: which there are, how each is said, and the forms that set them. Their names are those of the query API.

import { html, useEffect, useRef } from "./vendor/ui.js";
import { useNames } from "./api.js";
import { dollars, kindName, number, percent, plural, sentence, TOLD_AS, TYPES } from "./words.js";

/** Every condition that the query API knows, in the order in which they are shown. */
export const FILTERS = [
  "q", "like", "kind", "type", "modality", "phase", "with_events", "subtype", "party", "actor", "recipient", "country", "group", "place", "money_at_least", "money_at_most",
  "dead_at_least", "injured_at_least", "casualties_at_least", "source", "domain", "language", "feed", "rule", "held", "mark", "confidence_at_least",
  "sources_at_least", "since", "until", "happened_since", "happened_until", "box", "story_id", "article_id",
];

/** The query of the page in, the conditions of the query API out, as lists by name. */
export const conditions = (query) => Object.fromEntries(FILTERS.map((name) => [name, query.getAll(name)]).filter(([, values]) => values.length));

const NAMES = {
  q: "words", like: "like", party: "who", source: "publisher", group: "group", box: "area", story_id: "story", article_id: "article",
  happened_since: "happened since", happened_until: "happened until",
};
const AGO = { m: "minute", h: "hour", d: "day", w: "week" };

/** A condition in, its words out: "actor: France", "at least $100 million". */
export function said(name, value, names) {
  const country = names.countries[value] ?? value;
  const span = /^(\d+)([mhdw])$/.exec(value);
  const at = value.slice(0, 10);
  const words = {
    q: `“${value}”`, like: "like one item", type: TYPES[value] ?? value, modality: `told as ${TOLD_AS[value] ?? value}`,
    kind: sentence(names.kinds.find((one) => one.value === value)?.label ?? kindName({ kind: value })),
    money_at_least: `at least ${dollars(Number(value))}`, money_at_most: `at most ${dollars(Number(value))}`,
    dead_at_least: `${number(Number(value))} dead or more`, injured_at_least: `${number(Number(value))} injured or more`,
    casualties_at_least: `${number(Number(value))} casualties or more`, sources_at_least: `${plural(Number(value), "source")} or more`,
    confidence_at_least: `${percent(Number(value))} sure or more`, box: "area of the map", with_events: value === "true" ? "stories with events" : "stories without events",
    since: span ? `last ${plural(Number(span[1]), AGO[span[2]])}` : `from ${at}`, until: `until ${at}`,
  };
  return words[name] ?? `${NAMES[name] ?? name}: ${country}`;
}

/** The conditions as chips, each with a way to take it out. */
export function Chips({ query, change }) {
  const names = useNames();
  const all = Object.entries(conditions(query)).flatMap(([name, values]) => values.map((value) => [name, value]));
  if (!all.length) return null;
  return html`<ul class="row chips" aria-label="Conditions">${all.map(([name, value]) => html`<li><button type="button" class="chip" onClick=${() => change({ [name]: query.getAll(name).filter((one) => one !== value) })}>
    <bdi>${said(name, value, names)}</bdi><span aria-hidden="true">×</span><span class="unseen"> (take this condition out)</span></button></li>`)}
    ${all.length > 1 ? html`<li><button type="button" class="plain" onClick=${() => change(Object.fromEntries(FILTERS.map((name) => [name, null])))}>Clear all</button></li>` : null}</ul>`;
}

const languages = new Intl.DisplayNames("en", { type: "language", fallback: "code" });

function facetName(name, one) {
  if (name === "type") return TYPES[one.value] ?? one.label;
  if (name === "modality") return sentence(TOLD_AS[one.value] ?? one.value);
  if (name === "language" && /^[a-z]{2,3}$/.test(one.value)) return languages.of(one.value);
  return sentence(one.label);
}

/** The values of a facet with their counts; a press sets or takes out the condition. */
export function Facet({ title, name, values, query, change, limit = 7 }) {
  const on = query.getAll(name);
  const names = useNames();
  const missing = on.filter((one) => !values.some((v) => v.value === one)).map((one) => ({ value: one, label: said(name, one, names).replace(/^[^:]*: /, ""), count: null }));
  const all = [...missing, ...values];
  if (!all.length) return null;
  const toggle = (value) => change({ [name]: on.includes(value) ? on.filter((one) => one !== value) : [...on, value] });
  const row = (one) => html`<li><button type="button" class="facet" aria-pressed=${String(on.includes(one.value))} onClick=${() => toggle(one.value)}>
    <bdi>${facetName(name, one)}</bdi><span class="count">${one.count == null ? "" : number(one.count)}</span></button></li>`;
  return html`<section class="facets" aria-label=${title}><h2 class="label">${title}</h2><ul>${all.slice(0, limit).map(row)}</ul>
    ${all.length > limit ? html`<details><summary class="small">${all.length - limit} more</summary><ul>${all.slice(limit).map(row)}</ul></details>` : null}</section>`;
}

const FIELDS = [
  ["actor", "Actor", "text", "e.g. France, EU"], ["recipient", "Recipient", "text", "e.g. Ukraine"], ["place", "Place", "text", "e.g. Kyiv"],
  ["money_at_least", "Dollars, at least", "number", "e.g. 100000000"], ["dead_at_least", "Dead, at least", "number", "e.g. 10"], ["confidence_at_least", "Sure, at least (0 to 1)", "number", "e.g. 0.8"],
  ["since", "Reported from", "date"], ["until", "Reported until", "date"], ["happened_since", "Happened from", "date"], ["happened_until", "Happened until", "date"],
];

const NOT_IN = { articles: /^(?!place|since|until)/, rules: /since|until/ };

/** Conditions that are typed; each takes effect when its field is left or Enter is pressed. */
export function Typed({ query, change, of, also = [] }) {
  const ref = useRef(null);
  const value = (name, kind) => { const text = query.get(name) ?? ""; return kind === "date" ? (/^\d{4}-/.test(text) ? text.slice(0, 10) : "") : text; };
  useEffect(() => { for (const [name, , kind] of fields) if (ref.current.elements[name]) ref.current.elements[name].value = value(name, kind); }, [String(query)]);
  const fields = [...FIELDS, ...(of !== "events" ? [["sources_at_least", "Sources, at least", "number", "e.g. 2"]] : []), ...also].filter(([name]) => !(NOT_IN[of] ?? /^$/).test(name));
  const set = (event) => change({ [event.target.name]: event.target.value.trim() || null });
  return html`<form class="typed" ref=${ref} onSubmit=${(event) => event.preventDefault()}>${fields.map(([name, title, kind, example]) => html`
    <label class="field"><span>${title}</span><input type=${kind} name=${name} step="any" min=${kind === "number" ? 0 : undefined} placeholder=${example} onChange=${set} autocomplete="off" /></label>`)}</form>`;
}
