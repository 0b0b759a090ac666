// A map of the world from Natural Earth's outlines: marks as large as their count, moved and enlarged by mouse, key and button.

import { html, useEffect, useMemo, useRef, useState } from "./vendor/ui.js";
import { drawing } from "./charts.js";
import { go } from "./route.js";
import { plural } from "./words.js";

const [WIDTH, HEIGHT] = [960, 430]; // of the window; the projection is taller, so that the empty Antarctic falls below its edge
const WHOLE = 496;
const ROOMY = 700; // px: on a narrower map the marks are smaller, or they would cover each other
const PRESS = 12; // px: a finger finds a mark within a circle of 24 px, however small the mark is
const MOST = 24; // how far the outlines of 1:110 million can be enlarged before they mislead
let outlines = null;

async function world() {
  const [geo, answer] = await Promise.all([drawing(), fetch("/static/vendor/world.json")]);
  const topology = await answer.json();
  const projection = geo.geoNaturalEarth1().fitExtent([[4, 0], [WIDTH - 4, WHOLE]], { type: "Sphere" });
  const path = geo.geoPath(projection).digits(1);
  return {
    project: projection, invert: projection.invert,
    sphere: path({ type: "Sphere" }), lines: path(geo.geoGraticule10()),
    land: path(geo.feature(topology, topology.objects.land)),
    borders: path(geo.mesh(topology, topology.objects.countries, (a, b) => a !== b)),
  };
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function frame(points, project) {
  const at = points.map((p) => project([p.lon, p.lat])).filter(Boolean);
  if (!at.length) return { x: 0, y: 0, k: 1 };
  const [xs, ys] = [at.map((p) => p[0]), at.map((p) => p[1])];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const k = clamp(Math.min(WIDTH / (right - left + 110), HEIGHT / (bottom - top + 70)), 1, 7);
  return place({ k, x: (left + right) / 2 - WIDTH / k / 2, y: (top + bottom) / 2 - HEIGHT / k / 2 });
}

/** Keep the window on the map: never beyond its edge. */
const place = ({ x, y, k }) => ({ k, x: clamp(x, 0, WIDTH - WIDTH / k), y: clamp(y, 0, HEIGHT - HEIGHT / k) });

function corners(view, invert) {
  const spots = [[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0], [0.5, 1], [0, 0.5], [1, 0.5]].map(([a, b]) => invert([view.x + (a * WIDTH) / view.k, view.y + (b * HEIGHT) / view.k]))
    .filter((spot) => spot && spot.every(Number.isFinite) && Math.abs(spot[0]) <= 180 && Math.abs(spot[1]) <= 90);
  const [lons, lats] = [spots.map((s) => s[0]), spots.map((s) => s[1])];
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)].map((one) => Number(one.toFixed(2)));
}

const radius = (count, most, size) => size * (5 + (most > 1 ? 13 * Math.sqrt(count / most) : 0)); // px

/** Points, largest first, in; marks out. Those that a finger could not tell apart are one mark, of which all are `points`. */
function marks(points, { project, k, most, size }) {
  const found = [];
  for (const p of points) {
    const at = project([p.lon, p.lat]);
    if (!at) continue;
    const near = p.href && found.find((one) => one.points[0].href && Math.hypot(one.at[0] - at[0], one.at[1] - at[1]) * k < PRESS + Math.max(PRESS, radius(one.points[0].count ?? 1, most, size)));
    if (near) near.points.push(p);
    else found.push({ at, points: [p] });
  }
  return found.reverse(); // the small ones above the large ones
}

/** Points {lat, lon, count, label, href} in; `what` is counted. `search(box)` gets the corners of what is shown; `zoomed(zoom)` the level, for clusters. */
export function WorldMap({ points, title, search, zoomed, fit = true, narrowed = false, what = ["event", "events"] }) {
  const [map, setMap] = useState(outlines);
  const [view, setView] = useState(null);
  const [width, setWidth] = useState(WIDTH);
  const [open, setOpen] = useState(null); // where the mark of several places is whose list is shown
  const ref = useRef(null);
  useEffect(() => {
    const size = new ResizeObserver(([one]) => setWidth(one.contentRect.width || WIDTH));
    size.observe(ref.current);
    return () => size.disconnect();
  }, []);
  useEffect(() => { if (!map) world().then((found) => { outlines = found; setMap(found); }, () => setMap(null)); }, []);
  const shown = useMemo(() => points.filter((p) => Number.isFinite(p.lat) && Number.isFinite(p.lon)).sort((a, b) => (b.count ?? 1) - (a.count ?? 1)), [points]);
  const now = view ?? (map && fit ? frame(shown, map.project) : { x: 0, y: 0, k: 1 });
  const zoom = Math.round(Math.log2(now.k) + 1);
  useEffect(() => { if (view) zoomed?.(zoom); }, [zoom, Boolean(view)]);
  const move = (dx, dy) => setView(place({ ...now, x: now.x + (dx * WIDTH) / now.k, y: now.y + (dy * HEIGHT) / now.k }));
  const scale = (by, cx = 0.5, cy = 0.5) => {
    const k = clamp(now.k * by, 1, MOST);
    setView(place({ k, x: now.x + cx * WIDTH * (1 / now.k - 1 / k), y: now.y + cy * HEIGHT * (1 / now.k - 1 / k) }));
  };
  const drag = (down) => {
    if (down.button || down.target.closest(".spot, .room")) return;
    const start = now;
    const size = ref.current.getBoundingClientRect();
    const onMove = (event) => setView(place({ ...start, x: start.x - ((event.clientX - down.clientX) / size.width) * (WIDTH / start.k), y: start.y - ((event.clientY - down.clientY) / size.height) * (HEIGHT / start.k) }));
    const onUp = () => { removeEventListener("pointermove", onMove); removeEventListener("pointerup", onUp); };
    addEventListener("pointermove", onMove);
    addEventListener("pointerup", onUp);
  };
  const keys = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, -0.2], ArrowDown: [0, 0.2] };
  const press = (event) => {
    if (keys[event.key]) move(...keys[event.key]);
    else if (event.key === "+" || event.key === "=") scale(1.6);
    else if (event.key === "-") scale(1 / 1.6);
    else return;
    event.preventDefault();
  };
  const most = Math.max(1, ...shown.map((p) => p.count ?? 1));
  const size = clamp(width / ROOMY, 0.75, 1);
  const k = (now.k * width) / WIDTH;
  const drawn = map ? marks(shown, { project: map.project, k, most, size }) : [];
  const opened = drawn.find((one) => one.points.length > 1 && String(one.at) === open);
  const closer = () => { // so far that the nearest two stand apart, if the map goes so far
    const [x, y] = opened.at;
    const by = clamp(now.k * 3, 1, MOST);
    setView(place({ k: by, x: x - WIDTH / by / 2, y: y - HEIGHT / by / 2 }));
  };
  return html`<figure class="map">
    <div class="map-frame" tabindex="0" role="group" aria-label=${`${title}. Arrow keys move the map, plus and minus enlarge it.`} onKeyDown=${press}>
      <svg ref=${ref} viewBox=${`${now.x} ${now.y} ${WIDTH / now.k} ${HEIGHT / now.k}`} preserveAspectRatio="xMidYMid slice" onPointerDown=${drag}>
        ${map ? html`<path class="sea" d=${map.sphere} /><path class="lines" d=${map.lines} /><path class="land" d=${map.land} /><path class="borders" d=${map.borders} />` : null}
        ${[Room, Mark].map((part) => drawn.map((one) => html`<${part} key=${String(one.at)} mark=${one} k=${k} most=${most} what=${what} size=${size} open=${opened === one} toggle=${() => setOpen(opened === one ? null : String(one.at))} />`))}
      </svg>
    </div>
    <figcaption class="row small noprint">
      <span class="segments"><button type="button" aria-label="Enlarge the map" onClick=${() => scale(1.6)}>+</button><button type="button" aria-label="Make the map smaller" onClick=${() => scale(1 / 1.6)}>−</button><button type="button" onClick=${() => setView({ x: 0, y: 0, k: 1 })}>World</button></span>
      ${search && (narrowed || now.k > 1) ? html`<button type="button" disabled=${!map} onClick=${() => search(now.k === 1 ? null : corners(now, map.invert))}>${now.k === 1 ? "Search everywhere" : "Search this area"}</button>` : null}
    </figcaption>
    ${opened ? html`<${Near} points=${opened.points} what=${what} closer=${now.k < MOST ? closer : null} close=${() => setOpen(null)} />` : null}
  </figure>`;
}

const told = (p, most, what) => [p.label, (p.count ?? 1) > 1 || most > 1 ? plural(p.count ?? 1, ...what) : ""].filter(Boolean).join(": ");
const counted = (points) => points.reduce((sum, p) => sum + (p.count ?? 1), 0);
const words = ([first, ...more], most, what) => (more.length ? `${first.label || "a place"} and ${plural(more.length, "place")} near it: ${plural(counted([first, ...more]), ...what)}` : told(first, most, what));
const follow = (p) => (event) => { event.preventDefault(); go(p.href); };

/** The room for a finger around a mark. It lies below all marks, so that each is pressed where it is seen. */
function Room({ mark, k, most, what, toggle }) {
  const [p] = mark.points;
  if (!p.href) return null;
  const circle = html`<circle cx=${mark.at[0]} cy=${mark.at[1]} r=${PRESS / k}><title>${words(mark.points, most, what)}</title></circle>`;
  return mark.points.length > 1 ? html`<g class="room" aria-hidden="true" onClick=${toggle}>${circle}</g>`
    : html`<a class="room" href=${p.href} tabindex="-1" aria-hidden="true" onClick=${follow(p)}>${circle}</a>`;
}

function Mark({ mark, k, most, what, size, open, toggle }) {
  const { at: [x, y], points } = mark;
  const [p] = points;
  const [count, several] = [counted(points), points.length > 1];
  const r = radius(Math.min(count, most), most, size) / k; // k: pixels for one unit of the outlines
  const shape = html`<circle cx=${x} cy=${y} r=${r} stroke-width=${1.2 / k}><title>${words(points, most, what)}</title></circle>
    ${several ? html`<circle class="ring" cx=${x} cy=${y} r=${r + 2.5 / k} stroke-width=${1.2 / k} />` : null}
    ${count > 1 && r * k > 8 ? html`<text x=${x} y=${y} font-size=${10.5 / k} dy="0.35em" aria-hidden="true">${count}</text>` : null}`;
  if (!p.href) return html`<g class="spot">${shape}</g>`;
  if (!several) return html`<a class="spot" href=${p.href} aria-label=${words(points, most, what) || "place"} onClick=${follow(p)}>${shape}</a>`;
  const press = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); toggle(); } };
  return html`<g class="spot several" role="button" tabindex="0" aria-expanded=${String(open)} aria-label=${words(points, most, what)} onClick=${toggle} onKeyDown=${press}>${shape}</g>`;
}

/** The places of a mark that stands for several, each with the way to its events. */
function Near({ points, what, closer, close }) {
  const ref = useRef(null);
  useEffect(() => ref.current.querySelector("a").focus({ preventScroll: true }), [points[0]]);
  return html`<div class="near small noprint" ref=${ref} role="group" aria-label="Places close together" onKeyDown=${(event) => event.key === "Escape" && close()}>
    <ul>${points.map((p) => html`<li><a href=${p.href} onClick=${follow(p)}><bdi>${p.label || "unnamed place"}</bdi></a> <span class="soft">${plural(p.count ?? 1, ...what)}</span></li>`)}</ul>
    <p class="row">${closer ? html`<button type="button" onClick=${closer}>Enlarge the map here</button>` : null}<button type="button" class="plain" onClick=${close}>Close</button></p></div>`;
}
