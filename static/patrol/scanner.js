/* Reading plates: the camera, a still photo, and what to do when the camera shows nothing. */

import { sha256 } from "./ids.js";
import { develop } from "./photos.js";

const VENDOR = "/static/vendor/barcode/";
export const EVERY_MS = 110; // about nine looks a second; a phone in the sun stays cool
const NOTHING_MS = 3000; // WeChat and some phones open a camera that never shows a picture
const LONGEST_LOOK_PX = 960;
const EVIDENCE_PX = 960;

let reader = null;

/** The reader, with exactly the WebAssembly that it was built with; asserted by hash. */
export function prepare() {
  reader ||= load();
  reader.catch(() => { reader = null; });
  return reader;
}

async function load() {
  const [parts, answer] = await Promise.all([import(`${VENDOR}ponyfill.js`), fetch(`${VENDOR}zxing_reader.wasm`)]);
  const wasmBinary = await answer.arrayBuffer();
  if ((await sha256(wasmBinary)) !== parts.ZXING_WASM_SHA256) throw new Error("the scanner's reader is of another version");
  await parts.prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  return new parts.BarcodeDetector({ formats: ["qr_code"] });
}

/** The texts of all QR symbols in a picture. */
export async function read(picture) {
  const found = await (await prepare()).detect(picture);
  return found.map((one) => one.rawValue);
}

/** A photo of a plate, taken or chosen: what it says, and the photo as evidence. */
export async function readStill(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  let texts = [];
  for (const longest of [1280, 2400, 640]) {
    texts = await read(draw(picture, longest));
    if (texts.length) break;
  }
  const evidence = await develop(picture, "scan_frame", EVIDENCE_PX);
  return { texts, evidence };
}

function draw(picture, longest, crop = 1) {
  const wide = picture.videoWidth || picture.width, high = picture.videoHeight || picture.height;
  const cw = wide * crop, ch = high * crop, shrink = Math.min(1, longest / Math.max(cw, ch));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(cw * shrink);
  canvas.height = Math.round(ch * shrink);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(picture, (wide - cw) / 2, (high - ch) / 2, cw, ch, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * Watch the camera in `video` until `stop()`. `found(texts, evidence)` for each symbol seen;
 * `trouble(code)` when the camera is refused, absent, busy, or silent for three seconds.
 */
export class Watch {
  constructor(video, { found, trouble, ready = () => {} }) {
    Object.assign(this, { video, found, trouble, ready, stopped: false, looks: 0, stream: null });
  }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia) return this.trouble("unsupported");
    const guard = setTimeout(() => { if (!this.looks && !this.stopped) this.trouble("silent"); }, NOTHING_MS);
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: false, video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      if (this.stopped) return this.stop();
      this.track = this.stream.getVideoTracks()[0];
      this.track.addEventListener("ended", () => { if (!this.stopped) this.trouble("ended"); });
      this.video.srcObject = this.stream;
      this.video.muted = true;
      this.video.playsInline = true;
      await this.video.play();
      this.ready(this.abilities());
      await this.look();
    } catch (error) {
      clearTimeout(guard);
      if (!this.stopped) this.trouble({ NotAllowedError: "denied", NotFoundError: "absent", NotReadableError: "busy" }[error.name] || "failed");
    }
    return undefined;
  }

  /** What this camera can do: a lamp, a zoom range. */
  abilities() {
    const can = this.track.getCapabilities?.() || {};
    return { torch: Boolean(can.torch), zoom: can.zoom?.max > can.zoom?.min ? can.zoom : null };
  }

  torch(on) { return this.track?.applyConstraints({ advanced: [{ torch: on }] }).catch(() => {}); }
  zoom(factor) { return this.track?.applyConstraints({ advanced: [{ zoom: factor }] }).catch(() => {}); }

  async look() {
    let wide = false;
    while (!this.stopped) {
      const began = performance.now();
      if (this.video.readyState >= 2 && this.video.videoWidth) {
        // The middle is where people aim; every third look takes the whole picture.
        const canvas = draw(this.video, LONGEST_LOOK_PX, wide ? 1 : 0.75);
        wide = this.looks % 3 === 1;
        const texts = await read(canvas);
        this.looks += 1;
        if (texts.length && !this.stopped) {
          const evidence = await develop(this.video, "scan_frame", EVIDENCE_PX);
          if (!this.stopped) await this.found(texts, evidence);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - (performance.now() - began))));
    }
  }

  stop() {
    this.stopped = true;
    for (const track of this.stream?.getTracks() || []) track.stop();
    this.video.srcObject = null;
  }
}
