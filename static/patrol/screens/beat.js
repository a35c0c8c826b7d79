/* Where next? The map above, the numbers, the list in walking order, three buttons below. */

import { BeatMap } from "../beatmap.js";
import { away, day, inOrder, locate, recount, stateOf, stops } from "../day.js";
import { follow } from "../place.js";
import { button, el, icon, mark, renew, wordFor } from "../page.js";
import { clockTime, metres, say, t } from "../words.js";
import { running } from "../track.js";
import start from "./start.js";

const FIRST_ROWS = 60;
const OUTCOMES = { verified: "已核验", weak: "待佐证", contradicted: "位置不符" };

export default async function beat(rest, tools) {
  if (!day.person || !day.shift || day.shift.closed || (!day.shift.started && day.shift.shift.state !== "running")) return start(rest, tools);
  const { go } = tools;
  await recount();
  const canvas = el("canvas.map", { tabindex: "0", role: "img", "aria-label": t("巡查地图：路段、门店和您的位置") });
  const numbers = el("div.numbers", {}), list = el("ol.stops", {});
  const map = new BeatMap(canvas, { choose: (stop) => go(`visit/${stop.storefront_id}`) });
  const draw = () => {
    if (!day.shift) return;
    const ordered = inOrder();
    drawNumbers(numbers);
    const rows = ordered.slice(0, draw.most).map((stop) => row(stop));
    if (ordered.length > draw.most) rows.push(el("li.more", {}, button(t("再显示 {n} 家", { n: ordered.length - draw.most }), () => { draw.most = Infinity; draw(); })));
    if (!ordered.length) rows.push(el("li.empty", {}, t("这一班没有门店。换一段路，或请路长安排。")));
    renew(list, rows);
    map.show({
      roads: day.shift.roads || [], segments: day.shift.segments || [], fix: day.fix, next: ordered.find((stop) => !day.done.has(stop.storefront_id)),
      stops: stops().map((stop) => Object.assign(stop, { state: stateOf(stop) })),
    });
  };
  draw.most = FIRST_ROWS;
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") map.zoom(1.3);
    if (event.key === "-") map.zoom(1 / 1.3);
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) { event.preventDefault(); map.pan(...step); }
  });
  const unfollow = follow(({ coords }) => {
    day.fix = { lat: coords.latitude, lon: coords.longitude, accuracy_m: coords.accuracy };
    requestAnimationFrame(draw);
  });
  addEventListener("sent", draw);
  return {
    title: (day.shift.segments || []).map((one) => one.name.replace(/（.*/, "")).filter((name, at, all) => all.indexOf(name) === at).join("、") || day.shift.shift.title,
    wide: true, shown: draw,
    leave: () => { removeEventListener("sent", draw); unfollow(); map.close(); },
    nodes: [
      el("div.mapbox", {}, canvas, el("div.mapkeys", {},
        button("+", () => map.zoom(1.4), { "aria-label": t("放大地图") }), button("−", () => map.zoom(1 / 1.4), { "aria-label": t("缩小地图") }),
        button("", async () => { await locate({ watchMs: 4000 }); map.view = null; draw(); }, { name: "current-location", "aria-label": t("回到我的位置") }))),
      numbers, el("p.sub.note", {}, say(day.shift.walk?.why)), list,
      el("p.sub.note", {}, running() ? t("班次期间、屏幕亮着时记录行走轨迹，{n} 天后删除。", { n: day.shift.tracks_kept_days ?? 30 }) : ""),
      el("nav.more", { "aria-label": t("更多") },
        el("a.soft", { href: "#/near" }, t("牌坏了/没有牌")), el("a.soft", { href: "#/handover" }, icon("notes"), " ", t("交接")),
        el("a.soft", { href: "#/summary" }, icon("flag"), " ", t("收班")), el("a.soft", { href: "#/me" }, icon("user"), " ", t("我的"))),
      el("div.thumb", {}, el("a.soft", { href: "#/number" }, t("输编号")), el("a.main", { href: "#/scan" }, icon("qrcode"), " ", t("扫码打卡")), el("a.soft", { href: "#/finding" }, t("＋案件"))),
    ],
  };
}

function drawNumbers(box) {
  const all = stops(), states = all.map(stateOf);
  const reached = all.filter((stop) => day.done.get(stop.storefront_id)?.kind === "check_in").length;
  const of = (...names) => states.filter((state) => names.includes(state)).length;
  const cell = (number, kind, ...words) => el("div", {}, el(`b.${kind}`, {}, String(number)), el("span.sub", {}, ...words));
  renew(box, [cell(reached, "ink", t("已到 / {n}", { n: all.length })), cell(of("overdue"), "late", mark("overdue"), " ", t("逾期")), cell(of("due"), "due", mark("due"), " ", t("今天应到"))]);
}

function row(stop) {
  const state = stateOf(stop), seen = day.done.get(stop.storefront_id), metresAway = away(stop);
  let why = say(stop.why) || wordFor(state);
  if (seen?.kind === "check_in") why = `${clockTime(seen.at)} ${t(OUTCOMES[seen.outcome] || "已到")}`;
  if (seen?.kind === "missed") why = `${clockTime(seen.at)} ${t("已记原因")}`;
  if (day.half.has(stop.storefront_id)) why = t("填到一半，还没有保存");
  if (stop.recheck && !seen) why = `${t("复查")} · ${why}`;
  return el("li", {}, el("a", { href: `#/visit/${stop.storefront_id}`, data: { state } }, mark(state),
    el("span.grow", {}, el("b", {}, stop.name || t("空置铺位")), el("span.sub", {}, `${stop.address || `${stop.road} ${stop.house_number}`} · ${why}`)),
    el("span.away", {}, seen ? "—" : metres(metresAway))));
}
