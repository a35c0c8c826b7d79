/* The end of the shift: what was done, what is open, what still waits on this phone. */

import { day, leaveShift, locate, record, recount, stateOf, stops } from "../day.js";
import * as outbox from "../outbox.js";
import { button, card, confirmBy, el, mark, tell } from "../page.js";
import { stopTrack } from "../track.js";
import { t } from "../words.js";

export default async function summary(_rest, { go, refresh, send }) {
  if (!day.shift) return { title: t("收班"), back: "", nodes: [card(null, t("没有进行中的班次。"))] };
  await recount();
  const all = stops(), seen = [...day.done.values()];
  const of = (outcome) => seen.filter((one) => one.kind === "check_in" && one.outcome === outcome).length;
  const open = all.filter((stop) => !day.done.has(stop.storefront_id));
  const urgent = open.filter((stop) => ["overdue", "due"].includes(stateOf(stop)));
  const waits = await outbox.waiting(day.person.id);
  const line = (shape, word, number) => el("div.pairline", {}, el("span", {}, shape, " ", word), el("b", {}, String(number)));
  const close = async () => {
    if (urgent.length && !(await confirmBy(t("还有 {n} 家今天应到没有到。收班后会列为漏查，请先记原因，或确认收班。", { n: urgent.length }), t("确认收班")))) return;
    await stopTrack();
    const { fix } = await locate({ watchMs: 3000 });
    await record("shift_close", { fix, note: null });
    day.shift.closed = true;
    await send();
    tell(t("已收班"));
    refresh();
  };
  const done = async () => {
    const left = await outbox.waiting(day.person.id);
    if (left.own) return tell(t("还有 {n} 条没有发出去。请在有网络的地方等它发完再离开。", { n: left.own }), "bad");
    await leaveShift();
    go("start");
    return undefined;
  };
  return {
    title: day.shift.closed ? t("今天的小结") : t("收班"), back: day.shift.closed ? undefined : "",
    nodes: [
      card(t("本班小结"), line(mark("done"), t("已核验"), of("verified")), line(mark("due"), t("待佐证"), of("weak")), line(mark("overdue"), t("位置不符"), of("contradicted")),
        line(mark("unknown"), t("已记原因"), seen.filter((one) => one.kind === "missed").length), line("", t("没有到"), open.length), line("", t("共"), all.length)),
      waits.own ? card(t("还没有发出"), el("p", {}, t("{n} 条在手机里，联网后自动发送。", { n: waits.own })), button(t("现在发送"), async () => { await send({ loud: true }); refresh(); }, { name: "cloud-upload" })) : card(null, el("p.ok", {}, `● ${t("全部已发送到服务器")}`)),
      day.half.size && !day.shift.closed ? card(t("填到一半，还没有保存"), el("ul.rows", {}, ...all.filter((stop) => day.half.has(stop.storefront_id)).map((stop) => el("li", {}, mark("due"), el("a.grow", { href: `#/visit/${stop.storefront_id}` }, `${stop.name || t("空置铺位")} · ${stop.address || stop.house_number}`))))) : null,
      urgent.length && !day.shift.closed ? card(t("今天应到、还没到"), el("ul.rows", {}, ...urgent.slice(0, 30).map((stop) => el("li", {}, mark(stateOf(stop)), el("a.grow", { href: `#/missed/${stop.storefront_id}` }, `${stop.name || t("空置铺位")} · ${stop.address || stop.house_number}`))))) : null,
      el("div.thumb.one", {}, day.shift.closed ? button(t("完成"), done, { kind: "main" }) : button(t("收班"), close, { kind: "main" })),
    ],
  };
}
