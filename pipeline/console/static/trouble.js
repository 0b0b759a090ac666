// What is wrong with the service, said to whoever looks at the page: what it means for them first, then the server's own words.

import { html } from "./vendor/ui.js";
import { useOperator } from "./api.js";
import { said, Text } from "./parts.js";
import { Link } from "./route.js";

/** By the part that has the problem: what it means for a reader. The parts are in the order of the data's way. */
const MEANS = {
  kafka: "Nothing new comes in at the moment.",
  collector: "No new articles come in at the moment.",
  worker: "New articles are not read at the moment, so no new stories appear.",
  index: "A part of the news cannot be searched at the moment.",
  indexer: "New stories cannot be searched yet.",
  notifier: "Alerts are not sent at the moment; the page shows them all the same.",
  console: "What is new does not appear by itself at the moment.",
};
const OLD_ONES = /the old (rules|feeds) go on/;

/** Answers of /status in, its problems out: [part, words] in the order of the data's way. */
export function troubles(status) {
  const others = (status?.processes ?? []).filter((one) => one.name !== "console");
  const elsewhere = others.length > 0 && others.every((one) => !one.up); // in containers this machine has the console alone
  const found = (status?.problems ?? []).map((one) => { const at = one.indexOf(": "); return [one.slice(0, at), one.slice(at + 2)]; })
    .filter(([part, words]) => !(elsewhere && part !== "console" && words.startsWith("no answer at")));
  const order = Object.keys(MEANS);
  return found.sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
}

function meaning([part, words]) {
  const [, what] = OLD_ONES.exec(words) ?? [];
  if (what === "rules") return "The rules have an error; the ones before it stay in use.";
  if (what === "feeds") return "The list of feeds has an error; the one before it stays in use.";
  return MEANS[part] ?? "A part of the service has a problem.";
}

export function Trouble({ status }) {
  const operator = useOperator();
  const found = troubles(status);
  if (!found.length) return null;
  const [first, ...more] = [...new Set(found.map(meaning))];
  return html`<section class="noprint" aria-label="State of the service"><details class="wrong"><summary><span role="status"><strong>${first}</strong>${more.length ? ` And ${more.length} more.` : ""}</span> <span class="why">What is wrong</span></summary>
    <ul class="short">${found.map((one) => html`<li key=${one.join()}><p>${meaning(one)}</p><p class="small soft"><span class="mono">${one[0]}</span>: <${Text}>${said(one[1])}<//></p></li>`)}</ul>
    <p>${operator ? html`It often passes by itself: a part that waits for another goes on as soon as that answers. If it stays, <code>dateline status</code> shows all parts, and “First look” in docs/operations.md says what to do.`
      : "It often passes by itself. If it stays, tell whoever runs this Dateline."} ${found.some(([part]) => part === "collector") ? html`<${Link} href="/sources">See the feeds<//>` : null}</p></details></section>`;
}
