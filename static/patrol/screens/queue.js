/* What waits on this phone: each item with its age and reason, to open, repair, send or export. */

import { day, stopById } from "../day.js";
import * as outbox from "../outbox.js";
import { button, card, confirmBy, el, field, tell } from "../page.js";
import { seal } from "../sealing.js";
import { ago, clockTime, dayAndTime, say, t } from "../words.js";

const KINDS = { check_in: "打卡", finding: "案件", missed: "查不了", other_shop: "换了店", handover: "交接留言", handover_read: "交接已读", shift_start: "开始班次", shift_close: "收班", track: "轨迹", explain: "说明", self_check: "自查" };
const STATES = { ready: "等待发送", photos: "内容已到，等照片", attention: "要处理" };
const REASONS = { offline: "没有网络", portal: "无线网要求登录", busy: "服务器忙", retry: "服务器忙", paused: "属于另一个人", no_answer: "没有收到答复", silent: "没有网络" };

export default async function queue([id], tools) {
  if (id && id !== "sign-out") return one(id, tools);
  const { send } = tools;
  const records = (await outbox.all()).sort((a, b) => (a.id < b.id ? -1 : 1));
  const others = records.filter((record) => record.person_id !== day.person?.id).length;
  const sent = (await outbox.receipts()).sort((a, b) => b.at - a.at);
  const estimate = await navigator.storage?.estimate?.().catch(() => null);
  const firm = await navigator.storage?.persisted?.().catch(() => false);
  const again = () => tools.refresh();
  addEventListener("sent", again);
  return {
    title: t("未同步"), sub: records.length ? t("{n} 条 · 最早 {age}", { n: records.length, age: ago(Math.min(...records.map((record) => record.saved_at))) }) : t("全部已发送"), back: "",
    leave: () => removeEventListener("sent", again),
    nodes: [
      id === "sign-out" ? el("p.notice.warn", { role: "alert" }, t("还有 {n} 条没有发出去，现在不能退出登录。请先发送，或导出后再退出。", { n: records.length })) : null,
      day.line === "online" && !day.signedIn ? el("p.notice.warn", {}, t("登录已过期：内容都在手机上。"), " ", el("a", { href: "/sign-in?next=/patrol/" }, t("重新登录"))) : null,
      others ? el("p.notice.warn", {}, t("其中 {n} 条是别人的，只有本人登录后才会发送。", { n: others })) : null,
      records.length ? card(null, el("ul.rows", {}, ...records.map(row))) : card(null, el("p.empty", {}, t("没有等待发送的内容。打卡、案件、留言先存在这里，服务器逐条确认后才删除。"))),
      records.length ? el("div.stack", {}, button(t("现在发送"), () => send({ loud: true }), { kind: "main", name: "cloud-upload" }), button(t("导出加密文件"), () => exportAll(records), { name: "download" })) : null,
      el("details.card", {}, el("summary", {}, t("最近送达的 {n} 条", { n: sent.length })), el("ul.rows", {}, ...sent.slice(0, 50).map((receipt) => el("li", {}, el("span.grow", {}, `${t(KINDS[receipt.kind] || receipt.kind)} · ${clockTime(receipt.at)}`, el("br"), el("span.sub", {}, receipt.answer.status === "given_up" ? t("已放弃或被撤销") : t("回执 {r}", { r: receipt.answer.receipt || "" }))), receipt.answer.status === "given_up" ? null : button(t("再发一次"), async () => { await outbox.resend(receipt.id); send(); }))))),
      el("p.sub.note", {}, [estimate ? t("手机已用 {n} MB，可用约 {m} MB。", { n: (estimate.usage / 1e6).toFixed(1), m: Math.round((estimate.quota - estimate.usage) / 1e6) }) : "", firm ? t("系统已答应不自动清理。") : t("建议把本页“添加到主屏幕”，以免系统清理。")].join("")),
    ],
  };
}

function placeOf(item) {
  const stop = item.body?.storefront_id && stopById(item.body.storefront_id);
  return stop ? stop.name || stop.address : item.body?.text?.slice(0, 20) || "";
}

function row(record) {
  return el("li", { data: { item: record.id, state: record.state } }, el("a.grow", { href: `#/queue/${record.id}` },
    el("b", {}, [t(KINDS[record.kind] || record.kind), placeOf(record.item)].filter(Boolean).join(" · "))),
  el(`span.tag.${record.state === "attention" ? "bad" : "wait"}`, {}, `${t(STATES[record.state] || record.state)} · ${ago(record.saved_at)}`));
}

function reasonOf(record) {
  if (!record.reason) return "";
  return say(record.reason) || t(REASONS[record.reason.code] || "稍后自动再发");
}

async function one(id, { go, refresh, send }) {
  const record = await outbox.find(id);
  if (!record) return { title: t("未同步"), back: "queue", nodes: [card(null, el("p", {}, t("这一条已经发送，服务器已确认。")))] };
  const photos = await outbox.photosOf(id);
  const { item } = record;
  const mine = record.person_id === day.person?.id;
  const note = "note" in (item.body || {}) || "text" in (item.body || {}) ? el("textarea", { rows: "3", maxlength: "1000" }, item.body.note ?? item.body.text ?? "") : null;
  const repair = async () => {
    const body = { ...item.body };
    if (note) body["text" in body ? "text" : "note"] = note.value.trim();
    const fresh = await outbox.repair(id, { body });
    tell(t("已改成新的一条，重新发送"));
    send();
    go(`queue/${fresh.id}`);
  };
  const drop = async () => {
    if (await confirmBy(t("放弃这一条？它不会再发送，只在“最近送达”里留一行记录。"), t("放弃"))) { await outbox.giveUp(id, { code: "by_person" }); go("queue"); }
  };
  return {
    title: t(KINDS[record.kind] || record.kind), sub: placeOf(item), back: "queue",
    nodes: [
      card(null, el("p.lead", {}, `${t(STATES[record.state] || record.state)}${reasonOf(record) ? `：${reasonOf(record)}` : ""}`),
        el("dl.facts", {}, el("dt", {}, t("记录时间")), el("dd", {}, dayAndTime(record.saved_at)), el("dt", {}, t("等了")), el("dd", {}, ago(record.saved_at)), el("dt", {}, t("试过")), el("dd", {}, t("{n} 次", { n: record.tries })), el("dt", {}, t("照片")), el("dd", {}, t("{n} 张", { n: photos.length })), el("dt", {}, t("编号")), el("dd.sub", {}, record.id)),
        el("div.photos", {}, ...photos.map((photo) => { const address = URL.createObjectURL(new Blob([photo.bytes], { type: photo.type })); return el("img", { src: address, alt: t("照片"), onload: () => URL.revokeObjectURL(address) }); })),
        el("details", {}, el("summary", {}, t("全部内容")), el("pre", {}, JSON.stringify(item, null, 2)))),
      mine && record.state === "attention" ? card(t("修改后重发"), note ? field(t("说明"), note) : el("p.sub", {}, t("内容不变，用新的编号再发一次。")), button(t("修改后重发"), repair, { kind: "main" })) : null,
      el("div.stack", {}, mine ? button(t("原样再发一次"), async () => { await outbox.again(id); await send({ loud: true }); refresh(); }, { name: "refresh" }) : null,
        button(t("导出加密文件"), () => exportAll([record]), { name: "download" }), mine && record.state === "attention" ? button(t("放弃这一条"), drop, { name: "trash" }) : null),
    ],
  };
}

/** A sealed file for the office: nothing readable without the passphrase. */
async function exportAll(records) {
  const phrase = el("input", { type: "password", minlength: "8", required: true, autocomplete: "new-password" });
  const said = await new Promise((resolve) => {
    const dialog = el("dialog.sheet", { "aria-label": t("导出加密文件"), onclose: () => { resolve(dialog.returnValue === "yes" ? phrase.value : null); dialog.remove(); } },
      el("form", { method: "dialog" }, field(t("设一个口令（至少 8 个字）"), phrase, t("交给管理员时，口令请当面说，不要写在同一条消息里。")), el("div.pair", {}, el("button.soft", { value: "no", formnovalidate: true }, t("返回")), el("button.main", { value: "yes" }, t("导出")))));
    document.body.append(dialog);
    dialog.showModal();
  });
  if (!said) return;
  const photos = (await Promise.all(records.map((record) => outbox.photosOf(record.id)))).flat();
  const address = URL.createObjectURL(await seal(records, photos, said));
  const link = el("a", { href: address, download: `roadchief-outbox-${new Date().toISOString().slice(0, 16).replace(/[:T]/g, "")}.json`, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  tell(t("已导出 {n} 条。手机里的仍然保留，联网后照常发送。", { n: records.length }));
}
