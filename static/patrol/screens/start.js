/* Before the street: who am I, which shift, bring it onto the phone, begin. */

import { startTrack } from "../track.js";
import { day, fetchShift, fetchShifts, record } from "../day.js";
import { button, card, el, tell } from "../page.js";
import { askServer } from "../server.js";
import { clockTime, dayOf, t } from "../words.js";

const DAY_MS = 86400000;

export default async function start(_rest, { go }) {
  if (!day.person) return welcome();
  if (day.signedIn && !day.signedIn.allowed) return notForYou();
  const list = el("ul.rows", { "aria-busy": "true" });
  const rest = el("div", {});
  drawShifts(list, rest, go, t("正在取班次…"));
  fetchShifts().then(() => {
    list.removeAttribute("aria-busy");
    drawShifts(list, rest, go);
  });
  return {
    title: t("选择班次"), sub: day.person.name,
    nodes: [card(t("我的班次"), list), rest, card(null, el("p.sub", {}, t("班次的门店、地图和检查表会存到手机上，开始后没有信号也能用。")))],
  };
}

function welcome() {
  const offline = day.line === "offline";
  return {
    title: t("路长制巡查"),
    nodes: [card(t("先登录一次"), el("p", {}, offline ? t("这部手机还没有登录过。请在有网络的地方登录一次，之后没有信号也能用。") : t("登录后，班次会存到手机上，没有信号也能用。")),
      el("a.main", { href: "/sign-in?next=/patrol/" }, t("登录")))],
  };
}

function notForYou() {
  const second = day.signedIn.reason === "second_factor";
  return {
    title: t("路长制巡查"),
    nodes: [card(t("{name}，您好", { name: day.signedIn.name }), el("p", {}, second ? t("请先用验证码登录。") : t("您的岗位不参加巡查。")), el("a.soft", { href: second ? "/account/second-factor" : "/" }, t("返回首页")))],
  };
}

function drawShifts(list, rest, go, none = t("今天没有排给您的班次。可以自己选一段路开始。")) {
  const open = day.shifts.filter((shift) => ["planned", "running"].includes(shift.state));
  const near = open.filter((shift, at) => at < 2 || shift.state === "running" || Date.parse(shift.starts_at) < Date.now() + DAY_MS);
  const later = open.filter((shift) => !near.includes(shift));
  list.replaceChildren(...near.map((shift) => line(shift, go)));
  if (later.length) list.append(el("li", {}, el("details.grow", {}, el("summary", {}, t("以后的班次（{n}）", { n: later.length })), el("ul.rows", {}, later.map((shift) => line(shift, go))))));
  if (!open.length) list.replaceChildren(el("li.empty", {}, none));
  rest.replaceChildren(card(t("自己选一段路"), button(t("看可选路段"), (event) => beats(event.currentTarget, rest, go), { name: "list" })));
}

function line(shift, go) {
  return el("li", {},
    el("div.grow", {}, el("b", {}, shift.title || t("巡查")), el("br"),
      el("span.sub", {}, `${dayOf(Date.parse(shift.starts_at))} ${clockTime(Date.parse(shift.starts_at))}–${clockTime(Date.parse(shift.ends_at))}${shift.state === "running" ? ` · ${t("进行中")}` : ""}`), el("br"),
      el("span.sub", {}, streets(shift.segments))),
    button(shift.state === "running" ? t("继续") : t("开始"), (event) => begin(event.currentTarget, shift.id, go), { kind: "main" }));
}

/** Two segments by name; of more the first, and how many there are. */
function streets(names) {
  return names.length > 2 ? t("{name} 等 {n} 段", { name: names[0], n: names.length }) : names.join("、");
}

async function begin(pressed, id, go) {
  pressed.disabled = true;
  pressed.setAttribute("aria-busy", "true");
  const answer = await fetchShift(id);
  pressed.removeAttribute("aria-busy");
  pressed.disabled = false;
  if (answer.kind !== "ok") {
    const own = day.shift?.shift.id === id;
    if (!own) return tell(answer.kind === "refused" ? answer.said.message : answer.kind === "sign_in" ? t("请先登录") : t("没有网络，班次还没存到手机上。请到有信号的地方再试。"), "bad");
  }
  if (!day.shift.started && day.shift.shift.state !== "running") await record("shift_start", { fix: day.fix, note: null });
  else day.shift.started = true;
  startTrack();
  const unread = (day.shift.handovers || []).filter((one) => !one.read);
  go(unread.length ? "handover/read" : "");
  return undefined;
}

async function beats(pressed, rest, go) {
  pressed.setAttribute("aria-busy", "true");
  const answer = await askServer("/api/v1/patrol/beats");
  pressed.removeAttribute("aria-busy");
  if (answer.kind !== "ok") return tell(answer.said?.message || t("没有网络，看不到可选路段"), "bad");
  const chosen = new Set();
  const go_ = button(t("开始巡查"), async () => {
    if (!chosen.size) return tell(t("请先选路段"), "bad");
    const made = await askServer("/api/v1/patrol/shifts", { method: "POST", json: JSON.stringify({ segment_ids: [...chosen] }) });
    if (made.kind !== "ok") return tell(made.said?.message || t("没有网络"), "bad");
    return begin(go_, made.said.id, go);
  }, { kind: "main" });
  rest.replaceChildren(card(t("自己选一段路"), el("ul.rows.choices", {}, answer.said.beats.map((beat) => el("li", {}, el("label", {},
    el("input", { type: "checkbox", onchange: (event) => { if (event.target.checked) chosen.add(beat.id); else chosen.delete(beat.id); } }),
    el("span.grow", {}, beat.name, el("br"), el("span.sub", {}, t("{stops} 家 · {length} 米", { stops: beat.stops, length: Math.round(beat.length_m) }))))))), go_));
  return undefined;
}

