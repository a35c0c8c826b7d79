/* A plate that another program scanned (WeChat, the phone's camera) and opened without signal. */

import { arrive, fromText } from "../arrival.js";
import { day } from "../day.js";
import { button, card, el } from "../page.js";
import { t } from "../words.js";

export default async function plate([text = ""], { go }) {
  if (!day.shift) return { title: t("码牌"), back: "", nodes: [card(t("还没有开始班次"), el("p", {}, t("先开始班次，再扫码打卡。")), button(t("返回巡查"), () => go(""), { kind: "main" }))] };
  const result = await fromText(text, "typed");
  if (!result.arrival) return { title: t("码牌"), back: "", nodes: [card(t("不能打卡"), el("p", {}, result.why), button(t("返回巡查"), () => go(""), { kind: "main" }))] };
  await arrive(result.stop, { ...result.arrival, how: "scan" });
  go(`visit/${result.stop.storefront_id}`);
  return { title: t("码牌"), back: "", nodes: [] };
}
