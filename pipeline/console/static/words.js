// Values in, words out: times, sums, counts and names as a reader says them. Nothing here touches the page.

const LOCALE = "en-GB";
const clock = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const shortDay = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const dayAndYear = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const longDay = new Intl.DateTimeFormat(LOCALE, { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "short" });
const utcDay = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const plain = new Intl.NumberFormat(LOCALE);
const short = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 });

export const number = (value) => plain.format(value);
export const compact = (value) => short.format(value).replace("bn", " bn");
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
export const percent = (share) => `${Math.round(share * 100)}%`;
export const time = (iso) => clock.format(new Date(iso));
export const fullTime = (iso) => full.format(new Date(iso));
export const today = (iso) => longDay.format(new Date(iso));
export const calendarDay = (iso) => utcDay.format(new Date(iso));
export const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

/** A time in, "09:41" today, "27 Nov 09:41" this year, else with the year. */
export function when(iso, now = Date.now()) {
  const at = new Date(iso);
  if (sameDay(at, now)) return clock.format(at);
  const day = at.getFullYear() === new Date(now).getFullYear() ? shortDay : dayAndYear;
  return `${day.format(at)}, ${clock.format(at)}`;
}

/** Seconds in, "40 s", "12 min", "3 h", "5 days" out. */
export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export function ago(iso, now = Date.now()) {
  const seconds = (now - new Date(iso)) / 1000;
  if (seconds < 45 && seconds > -45) return "just now";
  return seconds < 0 ? `in ${duration(-seconds)}` : `${duration(seconds)} ago`;
}

/** A When of the API in: the day, the month or the range that it names. */
export function dates(date) {
  if (!date) return "";
  const [start, end] = [new Date(date.start), new Date(date.end)];
  if (date.precision === "year") return String(start.getUTCFullYear());
  if (date.precision === "month") return start.toLocaleString(LOCALE, { month: "long", year: "numeric", timeZone: "UTC" });
  return date.start === date.end ? utcDay.format(start) : utcDay.formatRange(start, end);
}

const SIZES = [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]];
const SIGNS = { USD: "$", EUR: "€", GBP: "£", JPY: "¥" };

function sized(value) {
  const [size, word] = SIZES.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
  const digits = (value / size).toLocaleString(LOCALE, { maximumFractionDigits: 1 });
  return word ? `${digits} ${word}` : digits;
}

/** A Money of the API in, "$425 million" or "30 billion SEK" out; a range has both ends. */
export function money(sum) {
  if (!sum) return "";
  const [low, high] = [sized(sum.low ?? sum.value), sized(sum.value)];
  const [lowWord, highWord] = [low, high].map((one) => one.split(" ")[1]);
  const amount = low === high ? high : `${lowWord === highWord ? low.split(" ")[0] : low}–${high}`; // the word once: 420–425 million
  return SIGNS[sum.currency] ? `${SIGNS[sum.currency]}${amount}` : `${amount} ${sum.currency}`;
}

/** The sums of an item in, the first out; where reports give others in its currency, the lowest and the highest. */
export function sums(all) {
  const [first] = all;
  const values = all.filter((sum) => sum.currency === first.currency).flatMap((sum) => [sum.low ?? sum.value, sum.value]);
  return money({ ...first, low: Math.min(...values), value: Math.max(...values) });
}

export const dollars = (value) => (value == null ? "" : `$${sized(value)}`);
export const nameOf = (party) => party.name || party.text || "unnamed";
export const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");
export const slug = (text) => text.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
export const kindName = (item) => sentence((item.kind_name || item.kind || "news").replaceAll("_", " "));
/** How the text tells an event: the words for the modality of the query API. */
export const TOLD_AS = { asserted: "a fact", planned: "a plan", denied: "denied", hypothetical: "a possibility", historical: "the past" };
/** Why an alert was not sent at once. */
export const HELD = { muted: "muted: not sent", throttled: "too many at once: not sent", digest: "waits for its digest" };
export const STATES = { planned: "planned", denied: "denied", hypothetical: "possible", historical: "past", ended: "ended" };

export const TYPES = {
  AGREE: "Agreements", CONSULT: "Talks", SUPPORT: "Support", CONCEDE: "Concessions", COOPERATE: "Cooperation", AID: "Aid",
  RETREAT: "Withdrawals", REQUEST: "Requests", ACCUSE: "Accusations", REJECT: "Refusals", THREATEN: "Threats",
  PROTEST: "Protests", SANCTION: "Sanctions", MOBILIZE: "Mobilisation", COERCE: "Coercion", ASSAULT: "Attacks",
};
export const CONFLICT = new Set(["ACCUSE", "REJECT", "THREATEN", "PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT"]);

/** An address from a feed in; the same address if a link may lead there, else null. */
export function safeUrl(address) {
  try {
    return /^https?:$/.test(new URL(address).protocol) ? address : null;
  } catch {
    return null;
  }
}
export const hostOf = (address) => (safeUrl(address) ? new URL(address).hostname.replace(/^www\./, "") : address);
