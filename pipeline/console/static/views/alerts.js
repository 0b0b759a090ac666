// Alerts: what the rules raised, and the reader's word on each: right, false, or silent for a while.

import { html, useEffect, useRef, useState } from "../vendor/ui.js";
import { MOST, send, useApi, useLive, usePages } from "../api.js";
import { Act, Await, Dialog, Empty, Kind, Left, More, Operator, Out, Publishers, Quote, Segments, State, Sure, Text, Time } from "../parts.js";
import { changed, go, Link } from "../route.js";
import { HELD, safeUrl, sentence } from "../words.js";

const MARKS = [["", "All"], ["none", "To judge"], ["ack", "Right"], ["false", "False alarm"]];
const SAID = { ack: ["good", "right"], false: ["bad", "false alarm"] };
const SILENCES = [["1h", "an hour"], ["8h", "8 hours"], ["24h", "a day"], ["7d", "a week"], ["", "until it is ended"]];
const PAGE = 40;

/** An alert's occasion in, what in the story raised it out: "phase:happened", "it has happened". */
function because(occasion) {
  const [what, value] = occasion.split(":");
  const words = { new: "new story", phase: value === "happened" ? "it has happened" : `now ${value}`, spike: `${value} publishers report it`, update: "the story has changed" };
  return words[what] ?? occasion;
}

export function AlertsNav({ at }) {
  return html`<nav class="subnav row noprint" aria-label="Alerts">${[["/alerts", "Log"], ["/alerts/rules", "Rules"], ["/alerts/mutes", "Mutes"]].map(([path, name]) => html`<${Link} href=${path} aria-current=${at === name ? "page" : undefined}>${name}<//>`)}</nav>`;
}

/** Ask for how long and why, then mute a rule or a story. `target` is {name, words}. */
export function Mute({ target, close, done }) {
  const [span, setSpan] = useState("8h");
  const [note, setNote] = useState("");
  const run = async () => {
    await send("POST", "/mutes", { name: target.name, for: span || null, note });
    close();
    done?.();
  };
  return html`<${Dialog} title="Mute" open=${Boolean(target)} close=${close}>
    <p>No more alerts ${target?.words}, for</p>
    <div class="row" role="radiogroup" aria-label="For how long">${SILENCES.map(([value, words]) => html`<label class="row"><input type="radio" name="for" value=${value} checked=${span === value} onChange=${() => setSpan(value)} /> ${words}</label>`)}</div>
    <label class="field"><span>Note (optional)</span><input type="text" value=${note} onInput=${(e) => setNote(e.target.value)} maxlength="300" /></label>
    <p class="row"><${Act} class="main" run=${run} done="Muted.">Mute<//><button type="button" onClick=${close}>Cancel</button></p>
  <//>`;
}

function Entry({ alert, mute, marked }) {
  const judge = async (word) => { const { mark } = await send("POST", `/alerts/${encodeURIComponent(alert.id)}/${word}`, { note: "" }); marked(alert.id, mark); };
  const [tone, words] = SAID[alert.mark] ?? [];
  return html`<article class="card alert" data-id=${alert.id}>
    <p class="stamp"><${Time} at=${alert.raised_at} /></p>
    <div class="body">
      <p class="row over"><${Link} class="rule-name" href=${`/alerts/rules/${encodeURIComponent(alert.rule)}`}>${alert.rule}<//><span class="soft small">${because(alert.occasion)}</span><${State} item=${alert} />
        ${alert.held ? html`<span class="state warn">${HELD[alert.held] ?? alert.held}</span>` : null}${tone ? html`<span class=${`state ${tone}`}>${words}</span>` : null}</p>
      <h2 class="headline" dir="auto"><${Link} class="card-link" href=${`/story/${alert.story_id}`}>${alert.headline}<//></h2>
      <${Quote} text=${alert.evidence} />
      <p class="dotted foot"><${Kind} item=${alert} /><span><${Publishers} names=${alert.publishers} /></span><${Sure} value=${alert.confidence} />${safeUrl(alert.url) ? html`<span><${Out} href=${alert.url}>article<//></span>` : null}
        ${alert.event_id ? html`<${Link} href=${`/event/${alert.event_id}`}>proof<//>` : null}${alert.channels.length ? html`<span>sent to ${alert.channels.join(", ")}</span>` : null}</p>
      <${Operator}><p class="row noprint judge">
        <${Act} run=${() => judge("ack")} aria-pressed=${String(alert.mark === "ack")} done="Marked as right.">Right<//>
        <${Act} run=${() => judge("false")} aria-pressed=${String(alert.mark === "false")} done="Marked as a false alarm; the rule is silent for this story.">False alarm<//>
        <button type="button" onClick=${() => mute({ name: alert.story_id, words: "for this story" })}>Mute story</button>
        <button type="button" onClick=${() => mute({ name: alert.rule, words: `from the rule ${alert.rule}` })}>Mute rule</button></p><//>
    </div></article>`;
}

function Log({ query }) {
  const [mark, rule] = [query.get("mark") ?? "", query.get("rule")];
  const ahead = useRef(0);
  const pages = usePages("/alerts", { mark, rule, sort: "newest", limit: PAGE }, ahead);
  const rules = useApi("/alerts/facets", { field: "rule", size: 50 });
  const [marks, setMarks] = useState({});
  const [target, setTarget] = useState(null);
  const [came, setCame] = useState([]);
  useLive(["alerts"], (_, one) => (!rule || one.rule === rule) && (!mark || mark === "none") && setCame((old) => [one, ...old.filter((x) => x.id !== one.id)].slice(0, MOST)));
  const set = (changes) => { setCame([]); go(changed(query, changes)); };
  const known = new Set(pages.items.map((one) => one.id));
  useEffect(() => { if (came.length >= MOST && !pages.left) { setCame(came.slice(0, PAGE)); pages.reload(); } }, [came.length, pages.left]);
  const news = pages.left ? [] : came.filter((one) => !known.has(one.id));
  ahead.current = news.length;
  const items = [...news, ...pages.items].slice(0, MOST).map((one) => (one.id in marks ? { ...one, mark: marks[one.id] } : one));
  return html`
    <div class="row searchbar noprint"><${Segments} label="Judged" options=${MARKS} value=${mark} choose=${(one) => set({ mark: one })} />
      <label class="row small">Rule <select value=${rule ?? ""} onChange=${(e) => set({ rule: e.target.value })}><option value="">All rules</option>${(rules.data?.facets?.rule ?? []).map((one) => html`<option value=${one.value}>${one.label} (${one.count})</option>`)}</select></label></div>
    <${Await} from=${pages}>${(data) => items.length
      ? html`<${Left} pages=${pages} /><div class="cards">${items.map((one) => html`<${Entry} key=${one.id} alert=${one} mute=${setTarget} marked=${(id, word) => setMarks((old) => ({ ...old, [id]: word }))} />`)}</div>
        <${More} pages=${pages} shown=${items.length} total=${Math.max(data.total + news.length, items.length)}>Choose a rule or a judgement above to see fewer.<//>`
      : html`<${Empty} title=${mark || rule ? "No alert of this sort" : "No alert yet"}><p>A rule raises an alert once for each story. <${Link} href="/alerts/rules">Rules<//> shows what they wait for, and how often they would have rung.</p><//>`}<//>
    <${Mute} target=${target} close=${() => setTarget(null)} />`;
}

function Mutes() {
  const found = useApi("/mutes");
  const end = async (name) => { await send("DELETE", `/mutes/${encodeURIComponent(name)}`); found.reload(); };
  return html`<${Await} from=${found}>${({ mutes }) => mutes.length
    ? html`<div class="scroll"><table><thead><tr><th scope="col">What</th><th scope="col">Since</th><th scope="col">Until</th><th scope="col">Note</th><th scope="col">By</th><td></td></tr></thead><tbody>
      ${mutes.map((one) => html`<tr key=${one.name}><td>${sentence(one.target)} ${one.target === "story" ? html`<${Link} href=${`/story/${one.name}`}><${Text}>${one.headline || one.name}<//><//>` : html`<${Link} href=${`/alerts/rules/${one.name}`}>${one.name}<//>`}</td>
        <td><${Time} at=${one.at} /></td><td>${one.until ? html`<${Time} at=${one.until} />` : "ended by hand"}</td><td><${Text}>${one.note}<//></td><td><${Text}>${one.by}<//></td><td class="num"><${Operator}><${Act} run=${() => end(one.name)} done="The mute has ended.">End<//><//></td></tr>`)}</tbody></table></div>`
    : html`<${Empty} title="Nothing is muted"><p>A rule or a story is muted from the log, for an hour or for good. It stands here until then.</p><//>`}<//>`;
}

export function Alerts({ id, query }) {
  const at = id === "mutes" ? "Mutes" : "Log";
  useEffect(() => { document.title = `${at === "Log" ? "Alerts" : "Mutes"} · Dateline`; }, [at]);
  return html`<div class="title"><h1>Alerts</h1><${AlertsNav} at=${at} /></div>${at === "Mutes" ? html`<${Mutes} />` : html`<${Log} query=${query} />`}`;
}
