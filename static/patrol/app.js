/* Starting the app, moving between screens, and sending whenever there is a chance. */

import { day, meet, recall, recount } from "./day.js";
import * as outbox from "./outbox.js";
import { el, icon, button, tell, confirmBy, renew, whereabouts } from "./page.js";
import { drain } from "./sending.js";
import { startTrack } from "./track.js";
import { recall as recallClock } from "./timing.js";
import { ago, choose, clockTime, language, largeType, t } from "./words.js";

const EVERY_MS = 30000;
const NAG_MS = 2 * 3600 * 1000;
// Tabs share one outbox: what one has sent, the others show at once. Absent in old browsers.
const tabs = globalThis.BroadcastChannel ? new BroadcastChannel("roadchief-outbox") : null;
const SCREENS = {
  "": () => import("./screens/beat.js"), beat: () => import("./screens/beat.js"),
  start: () => import("./screens/start.js"), scan: () => import("./screens/scan.js"),
  number: () => import("./screens/number.js"), near: () => import("./screens/near.js"),
  plate: () => import("./screens/plate.js"), visit: () => import("./screens/visit.js"),
  finding: () => import("./screens/finding.js"), missed: () => import("./screens/missed.js"),
  handover: () => import("./screens/handover.js"), summary: () => import("./screens/summary.js"),
  other: () => import("./screens/other.js"),
  queue: () => import("./screens/queue.js"), me: () => import("./screens/me.js"),
};

let leave = () => {};
let turn = 0;

/** Show what the address says: `#/visit/<id>`. A screen returns {title, back, nodes, leave}. */
async function show() {
  const mine = ++turn;
  const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  leave();
  leave = () => {};
  const main = document.getElementById("main");
  const load = SCREENS[name] || SCREENS[""];
  const same = location.hash === show.at;
  try {
    const screen = await (await load()).default(rest.map(decodeURIComponent), { go, refresh: show, send });
    if (mine !== turn) return screen?.leave?.();
    if (!screen) return undefined;
    leave = screen.leave || (() => {});
    const findAgain = same ? whereabouts(main) : () => false;
    main.replaceChildren(...screen.nodes.filter(Boolean));
    main.className = screen.wide ? "wide" : "";
    await drawBar(screen);
    if (mine !== turn) return undefined;
    screen.shown?.();
    // A new screen begins at its name; the same one drawn anew leaves everybody where they were.
    if (!findAgain() && show.at !== undefined && !main.contains(document.activeElement)) document.querySelector("#bar h1").focus({ preventScroll: true });
    if (!same) scrollTo(0, 0);
    show.at = location.hash;
  } catch (error) {
    console.error(error);
    main.replaceChildren(el("section.card", {}, el("h1", {}, t("这一页没有打开")), el("p", {}, t("已保存的内容都在。请返回再试。")), el("p.sub", {}, String(error?.message || error)), button(t("返回巡查"), () => go(""))));
  }
  return undefined;
}

export function go(path) {
  const next = `#/${path}`;
  if (location.hash === next) show();
  else location.hash = next;
}

async function drawBar(fresh = drawBar.last || {}) {
  drawBar.last = fresh;
  const waits = await outbox.waiting(day.person?.id);
  const screen = drawBar.last; // another screen may have come meanwhile
  const line = screen.sub ?? (day.shift ? t("{title} 至 {time}", { title: day.shift.shift.title || "", time: clockTime(Date.parse(day.shift.shift.ends_at)) }) : "");
  const title = screen.title || t("路长制巡查");
  document.title = screen.title ? `${title} · ${t("路长制巡查")}` : title;
  renew(document.getElementById("bar"), [
    screen.back === undefined
      ? el("a.logo", { href: "#/", "aria-label": t("巡查首页") }, "巡")
      : el("a.back", { href: `#/${screen.back}`, "aria-label": t("返回") }, icon("chevron-left")),
    el("div.where", {}, el("h1", { tabindex: "-1" }, title), line ? el("p.sub", {}, line) : null),
    statusTag(waits),
  ]);
  document.body.classList.toggle("nag", waits.count > 0 && Date.now() - waits.oldest > NAG_MS);
  navigator.setAppBadge?.(waits.count).catch(() => {});
}

/** 离线 · 未同步 3 条 · 12 分钟: always there, always the way to the queue. */
function statusTag(waits) {
  const words = [];
  let kind = "fine", drawing = "cloud-check";
  if (day.line === "offline") { words.push(t("离线")); kind = "waits"; drawing = "wifi-off"; }
  if (day.line === "portal") { words.push(t("需登录无线网")); kind = "waits"; drawing = "wifi-off"; }
  if (day.line === "online" && !day.signedIn) { words.push(t("请登录")); kind = "bad"; drawing = "user"; }
  if (waits.count) {
    words.push(t("未同步 {n} 条", { n: waits.count }), ago(waits.oldest));
    kind = kind === "bad" ? "bad" : "waits";
    drawing = kind === "bad" ? drawing : day.line === "online" ? "cloud-upload" : "wifi-off";
  }
  if (waits.attention) { words.push(t("{n} 条要处理", { n: waits.attention })); kind = "bad"; drawing = "alert-triangle"; }
  if (!words.length) words.push(t("已全部同步"));
  const door = day.line === "online" && !day.signedIn && !waits.count; // else the queue says what to do
  return el(`a.status.${kind}`, { href: door ? "/sign-in?next=/patrol/" : "#/queue", data: { waiting: String(waits.count) } }, icon(drawing), " ", words.join(" · "));
}

/** Send what waits. Anything that changes on the way is shown at once. */
export async function send({ loud = false } = {}) {
  if (loud) await outbox.againAll();
  const before = day.person?.id;
  const met = await meet();
  if (day.person?.id !== before) await show(); // another person took the phone: their day, not this one
  let answer = { state: met };
  if (met === "ok" && day.signedIn) answer = await drain(day.signedIn.id);
  if (met === "ok" && !day.signedIn) answer = { state: "sign_in" };
  if (answer.state === "sign_in") day.signedIn = null;
  if (["offline", "portal"].includes(answer.state)) day.line = answer.state;
  tabs?.postMessage("sent");
  await showSent();
  if (loud) {
    tell({ ok: t("已全部发送"), sign_in: t("登录已过期：内容都在手机上，登录后自动发送"), portal: t("无线网要求登录，内容仍在手机上"),
      offline: t("没有网络，内容都在手机上"), silent: t("没有网络，内容都在手机上"), busy: t("服务器忙，稍后自动再发"), other_tab: t("另一个页面正在发送") }[answer.state] || t("稍后自动再发"),
    answer.state === "ok" ? "ok" : "warn");
  }
  return answer;
}

/** The outbox has changed, by us or by another tab: count again and redraw what shows it. */
async function showSent() {
  await recount();
  await drawBar();
  globalThis.dispatchEvent(new Event("sent"));
}

function watchWorker() {
  if (!navigator.serviceWorker) return;
  navigator.serviceWorker.register("/worker.js", { scope: "/", updateViaCache: "none" }).then((registration) => {
    const offer = (waiting) => {
      if (!waiting || !navigator.serviceWorker.controller) return;
      const bar = el("button.update", { type: "button", onclick: () => waiting.postMessage("take-over") }, icon("refresh"), " ", t("有新版本，点这里更新（未同步内容会保留）"));
      document.querySelector(".update")?.remove();
      document.getElementById("bar").after(bar);
    };
    offer(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const fresh = registration.installing;
      fresh?.addEventListener("statechange", () => { if (fresh.state === "installed") offer(registration.waiting); });
    });
    setInterval(() => registration.update().catch(() => {}), 3600 * 1000);
  }).catch(() => {});
  let had = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (had) location.reload();
    had = true;
  });
}

/** The address after # is a screen's, so the way past the bar goes without it. */
function skipToMain(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

async function start() {
  choose(language());
  document.querySelector(".skip").addEventListener("click", skipToMain);
  document.documentElement.classList.toggle("large", largeType());
  watchWorker();
  try {
    await recallClock();
    await recall();
  } catch (error) {
    document.getElementById("main").replaceChildren(el("section.card", {}, el("h1", {}, t("手机存储打不开")), el("p", {}, t("请关掉无痕模式，或清出一些空间后再打开。")), el("p.sub", {}, String(error))));
    return;
  }
  if (!navigator.onLine) day.line = "offline";
  addEventListener("hashchange", show);
  addEventListener("outbox-changed", () => { drawBar(); send(); });
  tabs?.addEventListener("message", showSent);
  addEventListener("online", () => send());
  addEventListener("offline", () => { day.line = "offline"; drawBar(); });
  addEventListener("store-outgrown", () => confirmBy(t("另一个页面已更新，请重新打开本页。"), t("重新打开")).then(() => location.reload()));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  setInterval(() => { if (!document.hidden) send(); }, EVERY_MS);
  navigator.storage?.persist?.().catch(() => {});
  startTrack();
  await show();
  await send();
  if (!location.hash || location.hash === "#/") show();
}

start();
