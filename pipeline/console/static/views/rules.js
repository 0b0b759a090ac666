// Rules: what each waits for and how often it was right, and an editor that shows a rule's alerts of the past before it is saved.

import { html, useEffect, useRef, useState } from "../vendor/ui.js";
import { address, get, send, useApi, useNames } from "../api.js";
import { Bars } from "../charts.js";
import { Chips, conditions, Typed } from "../filters.js";
import { Act, Await, Bones, Dialog, Empty, Fault, Operator, Segments, Text, Time } from "../parts.js";
import { changed, go, Link } from "../route.js";
import { calendarDay, HELD, number, percent, plural, sentence, slug, TYPES } from "../words.js";
import { AlertsNav, Mute } from "./alerts.js";

const SPANS = [["7d", "7 days"], ["30d", "30 days"], ["90d", "90 days"]];
const MANY_A_DAY = 20; // more alerts than this in a day are not read any more

function perDay(alerts, days) {
  const counts = new Map();
  for (const one of alerts) counts.set(one.raised_at.slice(0, 10), (counts.get(one.raised_at.slice(0, 10)) ?? 0) + 1);
  const first = Date.now() - days * 864e5;
  return Array.from({ length: days + 1 }, (_, n) => new Date(first + n * 864e5).toISOString().slice(0, 10)).map((day) => ({ at: `${day}T00:00:00Z`, count: counts.get(day) ?? 0 }));
}

function Backtest({ found, span }) {
  const days = Number(span.slice(0, -1));
  const sent = found.total - (found.held ?? 0);
  return html`<section class="section" aria-label="Backtest" data-backtest>
    <header><h2>What it would have done</h2><span class="soft small">nothing was sent</span></header>
    <p class="verdict">${sent
      ? html`<strong>${plural(sent, "alert")}</strong> in ${days} days, on ${plural(found.days, "day")}${found.most_on && found.most_in_a_day > 1 ? html`, at most ${found.most_in_a_day} on one day (${calendarDay(found.most_on)})` : ""}${found.held ? `; ${number(found.held)} more would have been held back` : ""}.`
      : html`<strong>No alert</strong> in ${days} days. The rule may be too narrow, or nothing of the kind was reported.`}</p>
    ${found.most_in_a_day > MANY_A_DAY ? html`<p class="notice">That is a lot for one day. A larger sum, more sources or a throttle makes it rarer.</p>` : null}
    ${found.alerts.length ? html`<${Bars} buckets=${perDay(found.alerts, days)} interval="day" title="Alerts by day" />
      <ul class="short">${found.alerts.slice(0, 12).map((one) => html`<li><p class="dotted small soft"><${Time} at=${one.raised_at} />${one.held ? html`<span>${HELD[one.held] ?? one.held}</span>` : null}</p><${Link} href=${`/story/${one.story_id}`}><${Text}>${one.headline}<//><//></li>`)}</ul>` : null}
  </section>`;
}

/** The conditions of a new rule as a form; each change drafts the rule anew. */
function Wanted({ query, change }) {
  const names = useNames();
  const picker = (name, title, options) => html`<label class="field"><span>${title}</span><select value="" onChange=${(e) => change({ [name]: [...query.getAll(name), e.target.value] })}><option value="">Add…</option>
    ${options.filter(([value]) => !query.getAll(name).includes(value)).map(([value, words]) => html`<option value=${value}>${words}</option>`)}</select></label>`;
  const kinds = names.kinds.map((one) => [one.value, sentence(one.label)]).sort((a, b) => a[1].localeCompare(b[1]));
  const countries = [...Object.keys(names.groups).map((one) => [one, `${one} (group)`]), ...Object.entries(names.countries).sort((a, b) => a[1].localeCompare(b[1]))];
  return html`<fieldset class="wanted"><legend class="label">The stories it waits for</legend>
    <${Chips} query=${query} change=${change} />
    <div class="typed">${picker("kind", "Kind", kinds)}${picker("type", "Type", Object.entries(TYPES))}${picker("country", "Country or group", countries)}</div>
    <${Typed} query=${query} change=${change} of="rules" also=${[["q", "Words in the reports", "text", "e.g. ceasefire"], ["name", "Name of the rule", "text", "e.g. large-aid"]]} /></fieldset>`;
}

function useDraft(query, id) {
  const [draft, setDraft] = useState({ toml: null, notTaken: [], error: null });
  const wanted = conditions(query);
  const title = query.get("name") ?? suggested(wanted);
  const url = id === "new" ? address("/rules/draft", { name: slug(title) || "new-rule", about: query.get("about") ?? sentence(title), ...wanted }) : null;
  useEffect(() => {
    if (!url) return undefined;
    let stale = false;
    get(url.replace("/api/v1", "")).then((found) => !stale && setDraft({ toml: found.toml, notTaken: found.not_taken ?? [], error: null }), (error) => !stale && setDraft((old) => ({ ...old, error })));
    return () => { stale = true; };
  }, [url]);
  return draft;
}

/** A name for a rule from its conditions: "aid package FRA". */
function suggested(wanted) {
  const words = ["kind", "type", "actor", "recipient", "party", "country", "q"].flatMap((name) => wanted[name] ?? []);
  return words.slice(0, 4).join(" ").replaceAll("_", " ") || "new rule";
}

function Editor({ id, query, known, loading, reload }) {
  const rule = known.find((one) => one.name === id);
  const draft = useDraft(query, id);
  const [toml, setToml] = useState(rule?.toml ?? "");
  const [touched, setTouched] = useState(false);
  const [span, setSpan] = useState("30d");
  const [test, setTest] = useState({ of: null, found: null, error: null, busy: false });
  useEffect(() => { if (draft.toml !== null && !touched) setToml(draft.toml); }, [draft.toml]);
  const [removing, setRemoving] = useState(false);
  const turn = useRef(0);
  const run = async (text = toml, since = span) => {
    const mine = ++turn.current;
    const set = (test) => mine === turn.current && setTest({ of: text, found: null, error: null, busy: false, ...test }); // the answer to an earlier question may come last
    set({ busy: true });
    try {
      set({ found: await send("POST", "/rules/backtest", { toml: text, since }) });
    } catch (error) {
      set({ error });
    }
  };
  useEffect(() => { if (toml && !touched) run(toml); }, [toml]);
  const save = async () => {
    const saved = rule ? await send("PUT", `/rules/${encodeURIComponent(rule.name)}`, { toml }) : await send("POST", "/rules", { toml });
    reload();
    go(`/alerts/rules/${encodeURIComponent(saved?.name ?? rule.name)}`, { replace: true });
  };
  const remove = async () => {
    await send("DELETE", `/rules/${encodeURIComponent(rule.name)}`);
    reload();
    go("/alerts/rules");
  };
  const tested = test.of === toml && test.found;
  const change = (changes) => go(changed(query, changes), { replace: true });
  const anew = () => { setTouched(false); setToml(draft.toml); };
  if (id !== "new" && !rule) return loading ? html`<${Bones} />` : html`<${Empty} title="There is no such rule"><p><${Link} href="/alerts/rules">All rules<//></p><//>`;
  return html`<p class="back"><${Link} href="/alerts/rules">Rules<//></p><h1>${rule ? rule.name : "New rule"}</h1>
    <div class="two editor"><div>
      ${rule ? html`<p class="soft">${rule.about}</p>` : html`<${Wanted} query=${query} change=${change} />`}
      ${draft.error ? html`<${Fault} error=${draft.error} />` : null}
      ${draft.notTaken.length ? html`<div class="notice"><p>A rule cannot have these conditions of the search:</p><ul>${draft.notTaken.map((one) => html`<li>${one}</li>`)}</ul></div>` : null}
      <label class="field"><span>The rule, as it stands in alerts.toml</span>
        <textarea rows="12" spellcheck="false" dir="ltr" value=${toml} onInput=${(e) => { setToml(e.target.value); setTouched(true); }}></textarea></label>
      ${touched && draft.toml !== null && draft.toml !== toml ? html`<div class="notice" role="status"><p>You have changed the rule by hand, so it does not follow the conditions above any more. Your text stays as it is.</p>
        <button type="button" onClick=${anew}>Write it anew from the conditions</button></div>` : null}
      <p class="row"><${Segments} label="Past to test on" options=${SPANS} value=${span} choose=${(one) => { setSpan(one); run(toml, one); }} />
        <button type="button" disabled=${test.busy || !toml.trim()} onClick=${() => run()}>${test.busy ? "Testing…" : "Test on the past"}</button>
        <${Operator}><${Act} class="main" run=${save} disabled=${!tested} done="Saved; the workers use it within seconds." title=${tested ? "" : "Test it first"}>${rule ? "Save changes" : "Save rule"}<//>
        ${rule ? html`<button type="button" class="danger push" onClick=${() => setRemoving(true)}>Remove</button>` : null}<//></p>
      <${Dialog} title="Remove the rule?" open=${removing} close=${() => setRemoving(false)}><p>It raises no more alerts, and its lines leave alerts.toml. Its alerts of the past stay.</p>
        <p class="row"><${Act} class="danger" run=${remove} done="The rule is removed.">Remove<//><button type="button" onClick=${() => setRemoving(false)}>Keep</button></p><//>
      ${tested ? null : html`<p class="soft small">A rule can be saved after it was tested as it stands.</p>`}
    </div><aside class="rail" aria-label="Test">
      ${test.error ? html`<${Fault} error=${test.error} />` : null}
      ${test.found ? html`<${Backtest} found=${test.found} span=${span} />` : test.busy ? html`<p class="notice" role="status">Testing on the stories of the past…</p>` : null}
    </aside></div>`;
}

function List({ rules, reload, problem }) {
  const [target, setTarget] = useState(null);
  return html`
    ${problem ? html`<div class="notice bad" role="alert"><p><strong>alerts.toml has an error, so the rules before it stay in use.</strong></p><p>${problem}</p></div>` : null}
    <p class="row searchbar"><${Link} class="button" href="/alerts/rules/new">New rule<//><span class="soft small">A search can become a rule too: Search, “Save as alert rule”.</span></p>
    ${rules.length ? html`<div class="scroll"><table><thead><tr><th scope="col">Rule</th><th scope="col">What it waits for</th><th scope="col" class="num">Alerts</th><th scope="col" class="num">Held back</th><th scope="col" class="num">Judged right</th><th scope="col" class="num">Judged false</th><th scope="col" class="num">Share right</th><td></td></tr></thead><tbody>
      ${rules.map((one) => html`<tr key=${one.name}><th scope="row" class="row-head"><${Link} class="row-link" href=${`/alerts/rules/${encodeURIComponent(one.name)}`}>${one.name}<//>${one.enabled ? null : html` <span class="state">off</span>`}</th><td><${Text}>${one.about}<//></td>
        <td class="num"><${Link} href=${`/alerts?rule=${encodeURIComponent(one.name)}`}>${number(one.rang)}<//></td><td class="num">${number(one.held)}</td><td class="num">${number(one.right)}</td><td class="num">${number(one.false)}</td><td class="num">${one.precision == null ? html`<span class="soft">not judged</span>` : percent(one.precision)}</td>
        <td class="num"><${Operator}><button type="button" onClick=${() => setTarget({ name: one.name, words: `from the rule ${one.name}` })}>Mute</button><//></td></tr>`)}</tbody></table></div>`
      : html`<${Empty} title="No rule yet"><p>A rule says which stories should reach someone at once.</p><//>`}
    <${Mute} target=${target} close=${() => setTarget(null)} done=${reload} />`;
}

export function Rules({ id, query }) {
  const found = useApi("/rules");
  useEffect(() => { document.title = `${id ? `Rule ${id}` : "Rules"} · Dateline`; }, [id]);
  if (id) return html`<${Await} from=${found}>${(data) => html`<${Editor} key=${`${id} ${data.rules.some((one) => one.name === id)}`} id=${id} query=${query} known=${data.rules} loading=${found.loading} reload=${found.reload} />`}<//>`;
  return html`<div class="title"><h1>Alerts</h1><${AlertsNav} at="Rules" /></div><${Await} from=${found}>${(data) => html`<${List} rules=${data.rules} reload=${found.reload} problem=${data.problem} />`}<//>`;
}
