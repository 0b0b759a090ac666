// Sources: the health, the rhythm and the last error of each feed; feeds are added, removed and imported here.

import { html, useEffect, useMemo, useRef, useState } from "../vendor/ui.js";
import { send, useApi } from "../api.js";
import { Spark } from "../charts.js";
import { Act, Await, Dialog, Empty, Operator, Out, say, Segments, Text, Time } from "../parts.js";
import { changed, go } from "../route.js";
import { ago, duration, number, plural } from "../words.js";

const STATUS = { ok: ["good", "healthy"], failing: ["bad", "failing"], silent: ["warn", "silent"], waiting: ["", "not yet read"], retired: ["bad", "gone"], unknown: ["", "not yet read"], disabled: ["", "off"] };
const ORDER = ["failing", "retired", "silent", "waiting", "unknown", "ok", "disabled"];
const EVERY_MS = 5_000; // the page shows a new feed's first answer without a press
const SOON_MS = 45_000;
const HOURS = 48; // of the rhythm

function Add({ done }) {
  const ref = useRef(null);
  const [fault, setFault] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries([...new FormData(ref.current)].filter(([, value]) => value.trim()));
    if (busy) return;
    setBusy(true);
    try {
      const { id } = await send("POST", "/feeds", fields);
      say(`Added as ${id}; it is read within seconds.`);
      ref.current.reset();
      setFault(null);
      done();
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="add" ref=${ref} onSubmit=${submit}>
    <label class="field grow"><span>Address of a feed</span><input type="url" name="url" required placeholder="https://www.paper.example/rss.xml" aria-describedby=${fault ? "add-fault" : undefined} aria-invalid=${fault ? "true" : undefined} /></label>
    <label class="field"><span>Publisher (optional)</span><input type="text" name="publisher" maxlength="200" /></label>
    <label class="field"><span>Group (optional)</span><input type="text" name="group" maxlength="200" /></label>
    <button class="main" aria-disabled=${String(busy)}>${busy ? "Adding…" : "Add feed"}</button>
    ${fault ? html`<p class="fault" id="add-fault" role="alert">${fault.message}</p>` : null}
  </form>`;
}

function Import({ done }) {
  const [found, setFound] = useState(null);
  const [busy, setBusy] = useState(false);
  const take = async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    setBusy(true);
    try {
      setFound(await send("POST", "/feeds/import", file, "text/x-opml"));
      done();
    } catch (error) {
      say(error.message, true);
    } finally {
      setBusy(false);
      event.target.value = "";
    }
  };
  return html`<label class="button file">${busy ? "Importing…" : "Import OPML"}<input type="file" class="unseen" accept=".opml,.xml,text/xml,application/xml" onChange=${take} disabled=${busy} /></label>
    <${Dialog} title="Imported" open=${Boolean(found)} close=${() => setFound(null)}>
      <p>${plural(found?.added.length ?? 0, "feed")} added.</p>
      ${found?.left_out.length ? html`<p>${plural(found.left_out.length, "entry", "entries")} left out:</p><ul class="short small">${found.left_out.map((one) => html`<li><${Text}>${one.url}<//>: ${one.reason}</li>`)}</ul>` : null}
    <//>`;
}

function health(feed) {
  if (feed.status === "failing" || feed.status === "retired") return feed.error || "it does not answer";
  if (feed.status === "silent") return feed.silence || "nothing new for unusually long";
  return "";
}

function Row({ feed, rhythm, ask }) {
  const [tone, words] = STATUS[feed.status] ?? STATUS.unknown;
  const trouble = health(feed);
  return html`<tr><th scope="row" class="row-head"><${Text}>${feed.title || feed.id}<//><span class="feed-url soft small"><${Out} href=${feed.url}>${feed.url}<//></span></th>
    <td><span class=${`state ${tone}`}>${words}</span>${trouble ? html`<p class=${`small trouble-text ${tone}`} dir="auto">${trouble}</p>` : null}${feed.failures ? html`<p class="small soft">${plural(feed.failures, "failure")} in a row</p>` : null}</td>
    <td>${feed.publisher === feed.title ? null : html`<${Text}>${feed.publisher}<//>`}${feed.group ? html`<p class="small soft"><${Text}>${feed.group}<//></p>` : null}</td>
    <td>${rhythm ? html`<${Spark} counts=${rhythm} title=${`${plural(rhythm.reduce((a, b) => a + b, 0), "article")} in ${HOURS} hours`} />` : null}<p class="small soft">${feed.gap_seconds ? `about one every ${duration(feed.gap_seconds)}` : "no rhythm yet"}</p></td>
    <td class="num">${number(feed.entries)}</td><td class="nowrap" data-name="Newest entry">${feed.newest_at ? html`<${Time} at=${feed.newest_at} />` : html`<span class="soft">${feed.entries ? "not dated" : "nothing yet"}</span>`}</td>
    <td class="nowrap small" data-name="Last read">${feed.checked_at ? html`<${Time} at=${feed.checked_at} relative />` : html`<span class="soft">not yet</span>`}${feed.due_at ? html`<p class="soft">next ${Date.parse(feed.due_at) <= Date.now() + SOON_MS ? "now" : ago(feed.due_at)}</p>` : null}</td>
    <td class="num noprint"><${Operator}><button type="button" onClick=${() => ask(feed)} aria-label=${`Remove ${feed.title || feed.id}`}>Remove</button><//></td></tr>`;
}

/** Hours of articles by feed, each a list of HOURS counts. */
function rhythms(data) {
  if (!data) return {};
  const start = Math.floor(Date.now() / 36e5) - HOURS + 1;
  const found = {};
  for (const bucket of data.buckets) {
    const at = Math.floor(Date.parse(bucket.at) / 36e5) - start;
    if (at < 0 || at >= HOURS) continue;
    for (const [feed, count] of Object.entries(bucket.parts ?? {})) (found[feed] ??= Array(HOURS).fill(0))[at] = count;
  }
  return found;
}

export function Sources({ query }) {
  const found = useApi("/feeds", {}, { everyMs: EVERY_MS });
  const read = useApi("/articles/histogram", { since: `${HOURS}h`, interval: "hour", by: "feed" }, { everyMs: 60_000 });
  const [leaving, setLeaving] = useState(null);
  const status = query.get("status") ?? "";
  const words = (query.get("find") ?? "").toLowerCase();
  const rhythm = useMemo(() => rhythms(read.data), [read.data]);
  useEffect(() => { document.title = "Sources · Dateline"; }, []);
  const set = (changes) => go(changed(query, changes), { replace: true });
  const remove = async () => { await send("DELETE", `/feeds/${encodeURIComponent(leaving.id)}`); setLeaving(null); found.reload(); };
  const render = ({ feeds, problem }) => {
    const counts = Object.fromEntries(ORDER.map((one) => [one, feeds.filter((f) => f.status === one).length]));
    const options = [["", `All ${feeds.length}`], ...ORDER.filter((one) => counts[one]).map((one) => [one, `${STATUS[one][1]} ${counts[one]}`])];
    const shown = feeds.filter((f) => (!status || f.status === status) && (!words || `${f.id} ${f.title} ${f.url} ${f.publisher} ${f.group}`.toLowerCase().includes(words)))
      .sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status) || (a.title || a.id).localeCompare(b.title || b.id));
    return html`${problem ? html`<p class="notice bad" role="alert">The health of feeds cannot be read now: ${problem}</p>` : null}
      <div class="row searchbar noprint"><${Segments} label="State" options=${options} value=${status} choose=${(one) => set({ status: one })} />
        <label class="row small push">Find <input type="search" value=${query.get("find") ?? ""} onInput=${(e) => set({ find: e.target.value })} /></label></div>
      ${shown.length ? html`<div class="scroll"><table class="feeds"><thead><tr><th scope="col">Feed</th><th scope="col">Health</th><th scope="col">Publisher, group</th><th scope="col">Articles, ${HOURS} hours</th><th scope="col" class="num" title="Entries that the feed has had since it was added">Entries</th><th scope="col">Newest entry</th><th scope="col">Last read</th><td class="noprint"></td></tr></thead>
        <tbody>${shown.map((feed) => html`<${Row} key=${feed.id} feed=${feed} rhythm=${rhythm[feed.id]} ask=${setLeaving} />`)}</tbody></table></div>`
      : feeds.length ? html`<${Empty} title="No feed is like this"><button type="button" onClick=${() => set({ status: null, find: null })}>Show all</button><//>`
      : html`<${Empty} title="No feed yet"><p>Paste the address of a feed above, or import the OPML file of another reader. The first articles come within a minute.</p><//>`}`;
  };
  return html`<div class="title"><div><h1>Sources</h1><p class="soft">Where the news comes from. What is added here is read within seconds and kept in feeds.toml.</p></div>
      <div class="row noprint"><${Operator}><${Import} done=${found.reload} /><//><a class="button" href="/api/v1/feeds/opml" download="feeds.opml">Export OPML</a></div></div>
    <${Operator}><${Add} done=${found.reload} /><//>
    <${Await} from=${found}>${render}<//>
    <${Dialog} title="Remove this feed?" open=${Boolean(leaving)} close=${() => setLeaving(null)}>
      <p><strong><${Text}>${leaving?.title || leaving?.id}<//></strong> is not read any more. Its articles, events and stories stay.</p>
      <p class="row"><${Act} class="danger" run=${remove} done="The feed is removed.">Remove<//><button type="button" onClick=${() => setLeaving(null)}>Keep</button></p>
    <//>`;
}
