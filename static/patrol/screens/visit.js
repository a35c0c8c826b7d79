/* At the door: the verdict at once, the checklist, photos; then the next shop. */

import { draftOf } from "../arrival.js";
import { asSent, drawChecklist, fillGood, itemsFor, photoRow, unfinished } from "../checklist.js";
import { day, inOrder, locate, record, stopById } from "../day.js";
import { button, card, confirmBy, el, field, icon, mark, redrawn, tell, wordFor } from "../page.js";
import { verdict } from "../reach.js";
import { StorageFull } from "../outbox.js";
import { draft as recallDraft, dropDraft, keepDraft } from "../store.js";
import { clockTime, dayOf, say, t } from "../words.js";
import { told } from "./other.js";

const LOOKS = { verified: ["check", "ok", "已核验"], weak: ["clock", "due", "待佐证"], contradicted: ["alert-triangle", "late", "位置不符"] };
const WHY = {
  within: "离门前线 {d} 米，定位精度 ±{a} 米，允许 {limit} 米", beyond: "离门前线 {d} 米，定位精度 ±{a} 米，最远 {limit} 米",
  no_fix: "没有定位", no_accuracy: "定位没有给出可用的精度，无法判断距离", blind: "定位精度 ±{a} 米，太粗，无法判断",
  coarse: "离门前线 {d} 米，但定位精度 ±{a} 米，精度差于 50 米时只能待佐证", between: "离门前线 {d} 米，定位精度 ±{a} 米，允许 {limit} 米；差得不多，待佐证",
};
const NEXT = {
  weak: "会保存。拍一张现场照片，或继续查前后两家，都可作佐证。", contradicted: "会保存，不会拒绝。请写一句说明，由路长复核。",
};

export default async function visit([id], tools) {
  const stop = day.shift && stopById(id);
  if (!stop) return { title: t("门店"), back: "", nodes: [card(t("没有找到"), el("p", {}, t("这家店不在这一班里。")))] };
  const work = await recallDraft(draftOf(id));
  return work?.arrival ? atTheDoor(stop, work, tools) : before(stop, tools);
}

/** Opened from the list: what is known, and the ways to arrive. */
function before(stop, { go }) {
  const seen = day.done.get(stop.storefront_id);
  const permits = (stop.permits || []).map((one) => el("li", {}, `${say(one.kind) || one.kind}：${[].concat(one.windows || []).map((window) => say(window) || String(window)).join("、")}`));
  return {
    title: stop.name || t("空置铺位"), sub: stop.address || `${stop.road} ${stop.house_number}`, back: "",
    nodes: [
      card(null, el("p.lead", {}, mark(seen ? (seen.kind === "missed" ? "unknown" : "done") : stop.due), " ", seen ? `${clockTime(seen.at)} ${t(seen.kind === "missed" ? "已记原因" : "已到")}` : say(stop.why) || wordFor(stop.due)),
        stop.number ? el("p.sub", {}, t("码牌编号 {number}", { number: stop.number })) : el("p.sub", {}, t("还没有码牌")), permits.length ? el("ul", {}, ...permits) : null, ownCheck(stop), told(stop)),
      el("div.stack", {}, el("a.main", { href: "#/scan" }, icon("qrcode"), " ", seen?.kind === "check_in" ? t("再打一次卡") : t("扫码打卡")),
        el("a.soft", { href: `#/near/${stop.storefront_id}` }, t("牌坏了/没有牌")),
        el("a.soft", { href: `#/missed/${stop.storefront_id}` }, t("查不了，记原因")),
        el("a.soft", { href: `#/other/${stop.storefront_id}` }, t("这里换了店")),
        button(t("只报案件"), () => go(`finding/${stop.storefront_id}`), {})),
    ],
  };
}

/** The merchant's own word: for information, never a visit. */
function ownCheck(stop) {
  const own = stop.self_check;
  if (!own) return null;
  const date = dayOf(own.at);
  return el("p.sub", {}, own.wrong ? t("商户 {date} 自查，发现 {n} 项（不算到访）", { date, n: own.wrong }) : t("商户 {date} 自查，全部正常（不算到访）", { date }));
}

function atTheDoor(stop, work, tools) {
  const panel = el("section.verdict", { role: "status", "aria-live": "polite" });
  const list = el("div.checklist", {}), evidence = el("div", {});
  const keepWork = () => keepDraft(draftOf(stop.storefront_id), work).catch(() => tell(t("手机存储已满：这一家还没有保存，先发送或清理后再填。"), "bad"));
  const changed = () => { keepWork(); };
  const drawEvidence = () => redrawn(evidence, photoRow(work, work.photos.filter((one) => ["camera", "gallery"].includes(one.source) && !inAnswers(work, one.sha256)).map((one) => one.sha256), () => { keepWork(); drawEvidence(); }));
  const explain = el("textarea", { rows: "2", maxlength: "1000", oninput: (event) => { work.explain = event.target.value; changed(); } }, work.explain || "");
  const why = el("div", {});
  const showVerdict = () => {
    drawVerdict(panel, work, () => measure());
    const instead = async () => { await dropDraft(draftOf(stop.storefront_id)); tools.go(`near/mismatch/${work.arrival.plate_digest || ""}`); };
    // The plate of one shop at the door of another: visit the shop where one stands, and say so.
    const copied = work.arrival?.how === "scan" ? [el("p.sub", {}, t("门口不是“{name}”？这块牌可能是复制的。", { name: stop.name || stop.address || "" }), " ", button(t("选实际的店"), instead, { kind: "plain" }))] : [];
    why.replaceChildren(...(work.verdict?.outcome === "contradicted" ? [...copied, field(t("说明（给路长看）"), explain)] : []));
  };
  const measure = async () => {
    drawMeasuring(panel, null, stop);
    const { fix, why: reason } = await locate({ seen: (best) => drawMeasuring(panel, best, stop) });
    Object.assign(work, { fix, verdict: verdict(fix, stop), noFix: reason });
    await keepWork();
    showVerdict();
  };
  const code = el("input", { type: "text", autocomplete: "off", maxlength: "40", value: work.inspection_code || "", onchange: (event) => { work.inspection_code = event.target.value.trim() || null; changed(); drawList(); } });
  const drawList = () => drawChecklist(list, { checklist: day.shift.checklist, groups: day.shift.groups, draft: work, changed });
  drawList();
  drawEvidence();
  return {
    title: stop.name || t("空置铺位"), sub: stop.address || `${stop.road} ${stop.house_number}`, back: "",
    shown: () => (work.verdict ? showVerdict() : measure()),
    nodes: [
      panel, why, card(t("门前检查"), list, el("h3", {}, t("现场照片")), evidence, el("details", {}, el("summary", {}, t("执法检查（需检查码）")), field(t("检查码"), code))),
      el("div.thumb.two", {}, button(t("其余都好"), () => { fillGood(itemsFor(day.shift.checklist, Boolean(work.inspection_code)), work); drawList(); changed(); }),
        button(t("完成，下一家"), (event) => finish(event.currentTarget, stop, work, tools), { kind: "main" })),
      el("p.center", {}, el("a.soft", { href: `#/other/${stop.storefront_id}` }, t("这里换了店")), " ", button(t("放弃这次打卡"), async () => { if (await confirmBy(t("放弃这次打卡？填的内容不保存。"), t("放弃"))) { await keepDraft(draftOf(stop.storefront_id), null); tools.go(""); } }, { kind: "plain" })),
    ],
  };
}

const inAnswers = (work, hash) => Object.values(work.answers).some((answer) => (answer.photos || []).includes(hash));

function drawMeasuring(panel, fix, stop) {
  const so_far = fix ? t("目前精度 ±{a} 米，离门前线 {d} 米", { a: Math.round(fix.accuracy_m), d: Math.round(verdict(fix, stop).distance_m) }) : t("请站在门口，最多 8 秒");
  panel.className = "verdict measuring";
  panel.replaceChildren(icon("current-location"), el("b", {}, t("正在定位…")), el("p", {}, so_far));
}

function drawVerdict(panel, work, again) {
  const { outcome, reason, distance_m: d, accuracy_m: a, limit_m: limit } = work.verdict;
  const [drawing, colour, word] = LOOKS[outcome];
  const round = (value) => (value === null ? "?" : Math.round(value));
  const denied = work.noFix === "denied" ? t("定位没有授权，请在浏览器设置里允许定位。") : "";
  panel.className = `verdict ${colour}`;
  panel.replaceChildren(...[icon(drawing), el("b", {}, t(word)), el("p", {}, t(WHY[reason], { d: round(d), a: round(a), limit: round(limit) })),
    denied ? el("p.sub", {}, denied) : null, NEXT[outcome] ? el("p.sub", {}, t(NEXT[outcome])) : null,
    el("p.sub", {}, `${clockTime(work.began)} · ${t("已记在手机里，填完后上传")}`), outcome === "verified" ? "" : button(t("重新定位"), again, { name: "refresh" })].filter(Boolean));
}

async function finish(pressed, stop, work, { go }) {
  const checklist = day.shift.checklist;
  const missing = unfinished(checklist, work);
  if (missing) {
    const item = document.querySelector(`[data-code="${CSS.escape(missing.code)}"]`);
    item?.scrollIntoView({ block: "center" });
    item?.querySelector(".badpart input")?.focus({ preventScroll: true });
    return tell(t("“{item}”记为差，需要一张照片", { item: say(missing) }), "bad");
  }
  if (!work.verdict) return tell(t("还在定位，请稍等"), "warn");
  const open = itemsFor(checklist, Boolean(work.inspection_code)).filter((item) => !work.answers[item.code]).length;
  if (open && !(await confirmBy(t("还有 {n} 项没有看。没看的不算好也不算差，就这样保存？", { n: open }), t("保存")))) return undefined;
  pressed.disabled = true;
  try {
    const saved = await record("check_in", body(stop, work, checklist), work.photos, { draft: draftOf(stop.storefront_id) });
    if (work.verdict.outcome === "contradicted" && work.explain?.trim()) await record("explain", { check_in_id: saved.id, text: work.explain.trim() });
    tell(t("已保存：{name}", { name: stop.name || stop.address || "" }));
    const next = inOrder().find((one) => !day.done.has(one.storefront_id));
    go(next ? "" : "summary");
  } catch (error) {
    pressed.disabled = false;
    tell(error instanceof StorageFull ? t("手机存储已满：这一条没有保存，填的内容还在屏幕上。请先联网发送，或删掉手机里不用的东西。") : t("没有保存成功：{why}", { why: String(error.message || error) }), "bad");
  }
  return undefined;
}

function body(stop, work, checklist) {
  return {
    storefront_id: stop.storefront_id, ...work.arrival, fix: work.fix, verdict_shown: work.verdict, checklist: asSent(checklist, work),
    inspection_code: work.inspection_code || null, took_ms: Math.max(0, Date.now() - work.began), recheck_of: stop.recheck || null,
  };
}

