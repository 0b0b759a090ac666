// Charts: bars over time (uPlot), and how the page's colours get onto a canvas. Each chart has its figures as a table beside it.

import { html, useEffect, useRef, useState } from "./vendor/ui.js";
import { compact, number, when, calendarDay } from "./words.js";

const HEIGHT = 132;
let library = null;
/** uPlot, d3-geo and topojson, loaded when the first chart or map is shown. */
export const drawing = () => (library ??= import("./vendor/charts.js"));

/** The colour that a name of base.css has now, as a canvas understands it. */
function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const STEP = { hour: 3600, day: 86400, week: 604800, month: 2629800 };
const label = (interval, at) => (interval === "hour" ? when(at) : calendarDay(at));

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const UTC_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const UTC_MONTH = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });

/** The words under a tick: the hour, at midnight the day; for longer intervals the day or the month. */
function tick(at, interval) {
  const date = new Date(at * 1000);
  if (interval === "hour") return date.getHours() + date.getMinutes() === 0 ? DAY.format(date) : CLOCK.format(date);
  return (interval === "month" ? UTC_MONTH : UTC_DAY).format(date);
}

function options(uPlot, { width, interval, choose, line }) {
  const axis = { stroke: colour("soft"), font: "11px Libre Franklin, sans-serif", grid: { stroke: colour("rule"), width: 1 }, ticks: { show: false } };
  return {
    width, height: HEIGHT, legend: { show: false }, padding: [8, 16, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: Boolean(choose), y: false, setScale: false } },
    select: { show: Boolean(choose) },
    scales: { x: { time: true, range: (_, low, high) => [low - STEP[interval] / 2, high + STEP[interval] / 2] }, y: { range: (_, __, high) => [0, Math.max(4, high * 1.08)] } },
    tzDate: interval === "hour" ? undefined : (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"), // days and weeks are counted in UTC
    axes: [{ ...axis, grid: { show: false }, size: 24, space: 64, values: (_, splits) => splits.map((at) => tick(at, interval)) }, { ...axis, size: 40, space: 34, values: (_, splits) => splits.map(compact), // 200,000 is wider than the axis
       incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 2e4, 5e4, 1e5, 1e6] }],
    series: [{}, { stroke: colour("link"), fill: line ? undefined : colour("link"), width: line ? 2 : 0, points: { show: false },
      paths: line ? undefined : uPlot.paths.bars({ size: [0.82, 60], gap: 1 }) }],
    hooks: choose ? { setSelect: [(plot) => {
      if (plot.select.width < 4) return;
      const [low, high] = [plot.select.left, plot.select.left + plot.select.width].map((x) => plot.posToVal(x, "x"));
      plot.setSelect({ left: 0, width: 0 }, false);
      choose(new Date(low * 1000), new Date(high * 1000));
    }] } : {},
  };
}

/** Counts over time in, bars out. `choose(from, to)` is called with a range that was dragged over. */
export function Bars({ buckets, interval, title, choose }) {
  const ref = useRef(null);
  const pick = useRef(choose);
  pick.current = choose;
  const [hint, setHint] = useState(null);
  useEffect(() => {
    let plot = null;
    if (!ref.current) return undefined;
    let gone = false;
    const frame = ref.current;
    const data = [buckets.map((b) => new Date(b.at) / 1000), buckets.map((b) => b.count)];
    const draw = async () => {
      const { uPlot } = await drawing();
      if (gone || !frame.clientWidth) return;
      plot?.destroy();
      const setup = options(uPlot, { width: frame.clientWidth, interval, choose: pick.current && ((a, b) => pick.current(a, b)) });
      setup.hooks.setCursor = [(one) => setHint(one.cursor.idx == null ? null : one.cursor.idx)];
      plot = new uPlot(setup, data, frame);
    };
    const size = new ResizeObserver(() => (plot ? plot.setSize({ width: frame.clientWidth, height: HEIGHT }) : draw()));
    size.observe(frame);
    addEventListener("theme", draw);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    draw();
    return () => { gone = true; size.disconnect(); removeEventListener("theme", draw); scheme.removeEventListener("change", draw); plot?.destroy(); };
  }, [buckets, interval]);
  if (buckets.length < 2) return buckets.length ? html`<p class="chart"><span class="label">${title}</span> <span class="soft">all in one ${interval}, ${label(interval, buckets[0].at)}</span></p>` : null;
  const total = buckets.reduce((sum, b) => sum + b.count, 0);
  const shown = hint != null && buckets[hint];
  return html`<figure class="chart">
    <figcaption class="row small"><span class="label">${title}</span><span class="soft push">${shown ? `${label(interval, shown.at)}: ${number(shown.count)}` : choose ? "Drag over a span to narrow the search to it" : ""}</span></figcaption>
    <div class="plot" ref=${ref} role="img" aria-label=${`${title}: ${number(total)} in ${buckets.length} ${interval}s`}></div>
    <details class="small noprint"><summary>Figures</summary><div class="scroll figures"><table><thead><tr><th scope="col">${interval}</th><th scope="col" class="num">count</th></tr></thead>
      <tbody>${buckets.filter((b) => b.count).map((b) => html`<tr><td>${label(interval, b.at)}</td><td class="num">${number(b.count)}</td></tr>`)}</tbody></table></div></details>
  </figure>`;
}

/** Counts in, a line of tiny bars out; the words beside it say the same. */
export function Spark({ counts, title, full = false }) {
  const most = Math.max(1, ...counts);
  return html`<svg class=${full ? "spark full" : "spark"} width=${counts.length * 4} height="20" viewBox=${`0 0 ${counts.length * 4} 20`} preserveAspectRatio="none" role="img" aria-label=${title}><title>${title}</title>
    ${counts.map((count, n) => html`<rect x=${n * 4} width="3" y=${20 - Math.max(count ? 2 : 0.75, (count / most) * 20)} height=${Math.max(count ? 2 : 0.75, (count / most) * 20)} class=${count ? "on" : ""} />`)}</svg>`;
}
