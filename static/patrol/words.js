/* Two languages: the Chinese sentence is the key, the English stands in english.js. */

import { ENGLISH } from "./english.js";

const CHOICE = "patrol-language", TYPE = "patrol-type";
let chosen = null;

/* Times are those of the streets, whatever zone the phone is set to. */
const PLACE = "Asia/Shanghai";

export function language() {
  if (!chosen) {
    let kept = null;
    try { kept = localStorage.getItem(CHOICE); } catch { /* private mode: the page's language */ }
    chosen = kept || (document.documentElement.lang.startsWith("en") ? "en" : "zh");
  }
  return chosen;
}

export function choose(next) {
  chosen = next;
  try { localStorage.setItem(CHOICE, next); } catch { /* for this visit alone */ }
  document.documentElement.lang = next === "en" ? "en" : "zh-CN";
}

/** Large type: as chosen on this phone, else as the page came. */
export function largeType() {
  let kept = null;
  try { kept = localStorage.getItem(TYPE); } catch { /* private mode: as the page came */ }
  return kept ? kept === "large" : document.documentElement.classList.contains("large");
}

export function chooseType(large) {
  try { localStorage.setItem(TYPE, large ? "large" : "normal"); } catch { /* for this visit alone */ }
  document.documentElement.classList.toggle("large", large);
}

/** The sentence in the person's language, with {facts} filled in. */
export function t(chinese, facts = {}) {
  const text = language() === "en" ? ENGLISH[chinese] ?? chinese : chinese;
  return text.replace(/\{(\w+)\}/g, (_all, name) => facts[name] ?? "");
}

/** A pair from the server: {zh, en}. */
export function say(pair) {
  if (!pair) return "";
  return (language() === "en" ? pair.en : pair.zh) || pair.zh || pair.en || "";
}

export function clockTime(ms) {
  return new Date(ms).toLocaleTimeString(language() === "en" ? "en-GB" : "zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: PLACE });
}

/** The day of an instant, with its weekday, where the streets are. */
export function dayOf(ms) {
  return new Date(ms).toLocaleDateString(language() === "en" ? "en-GB" : "zh-CN", { month: "numeric", day: "numeric", weekday: "short", timeZone: PLACE });
}

export const dayAndTime = (ms) => `${dayOf(ms)} ${clockTime(ms)}`;

/** How long ago, in the largest whole unit. */
export function ago(ms, now = Date.now()) {
  const minutes = Math.floor(Math.max(0, now - ms) / 60000);
  if (minutes < 1) return t("刚刚");
  if (minutes < 60) return t("{n} 分钟", { n: minutes });
  if (minutes < 48 * 60) return t("{n} 小时", { n: Math.floor(minutes / 60) });
  return t("{n} 天", { n: Math.floor(minutes / 1440) });
}

export function metres(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "—";
  return value >= 1000 ? t("{n} 公里", { n: (value / 1000).toFixed(1) }) : t("{n} 米", { n: Math.round(value) });
}
