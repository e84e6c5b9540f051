/**
 * A chart as a picture that stands alone: what it shows above it, how it was made below it. Whoever gets it without the page
 * must not have to ask which station, which days, which unit.
 */
export interface Legend {
  name: string;
  colour: string;
  /** Lengths of dash and gap; none is a full line. */
  dash: number[];
}

export interface Caption {
  title: string;
  /** Range, step, unit. */
  lines: string[];
  legend: Legend[];
  /** Events by their number in the picture. */
  events: string[];
  /** Source, and when it was made. */
  foot: string[];
  text: string;
  muted: string;
  surface: string;
  font: string;
}

const SCALE = 2;
const PAD = 18;
const LINE = 20;

/** Breaks a list into lines that fit. */
function wrapped(context: CanvasRenderingContext2D, parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = lines.length > 0 ? `${lines.at(-1)}   ${part}` : part;
    if (lines.length > 0 && context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

class Pen {
  y = PAD;
  constructor(
    readonly context: CanvasRenderingContext2D,
    readonly caption: Caption,
  ) {}

  write(text: string, size: number, colour: string, weight = 400): void {
    this.context.font = `${weight} ${size}px ${this.caption.font}`;
    this.context.fillStyle = colour;
    this.y += Math.round(size * 1.45);
    this.context.fillText(text, PAD, this.y - Math.round(size * 0.4));
  }

  legend(width: number): void {
    const { context, caption } = this;
    context.font = `12px ${caption.font}`;
    let x = PAD;
    this.y += LINE;
    for (const { name, colour, dash } of caption.legend) {
      const wide = 34 + context.measureText(name).width + 18;
      if (x > PAD && x + wide > width - PAD) [x, this.y] = [PAD, this.y + LINE];
      context.strokeStyle = colour;
      context.lineWidth = 2.4;
      context.setLineDash(dash);
      context.beginPath();
      context.moveTo(x, this.y - 9);
      context.lineTo(x + 28, this.y - 9);
      context.stroke();
      context.fillStyle = caption.text;
      context.fillText(name, x + 34, this.y - 5);
      x += wide;
    }
    context.setLineDash([]);
  }
}

/** The chart's own canvas (drawn at twice its size) with its caption, as a PNG. */
export async function picture(chart: HTMLCanvasElement, caption: Caption): Promise<Blob> {
  const [width, middle] = [chart.width / SCALE, chart.height / SCALE];
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  if (!context) throw new Error('expected a canvas to draw on, came none');
  context.font = `12px ${caption.font}`;
  const events = wrapped(context, caption.events, width - 2 * PAD);
  const lines =
    caption.lines.length + Math.ceil(caption.legend.length / 2) + events.length + caption.foot.length;
  // Room for the longest legend; what is left over below is cut off.
  canvas.width = width * SCALE;
  canvas.height = (middle + 4 * PAD + 30 + lines * LINE) * SCALE;
  context.scale(SCALE, SCALE);
  context.fillStyle = caption.surface;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const pen = new Pen(context, caption);
  pen.write(caption.title, 18, caption.text, 600);
  for (const line of caption.lines) pen.write(line, 12, caption.muted);
  pen.legend(width);
  context.drawImage(chart, 0, pen.y + 6, width, middle);
  pen.y += 6 + middle;
  for (const line of events) pen.write(line, 12, caption.text);
  for (const line of caption.foot) pen.write(line, 12, caption.muted);
  return cut(canvas, (pen.y + PAD) * SCALE);
}

function cut(whole: HTMLCanvasElement, height: number): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = whole.width;
  canvas.height = Math.min(whole.height, Math.ceil(height));
  canvas.getContext('2d')?.drawImage(whole, 0, 0);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('the picture could not be made'))),
      'image/png',
    ),
  );
}
