// Growing texts are drawn once per animation frame. A drawing that takes long gets a pause in proportion, so that input
// is always answered.

const kShareOfTime = 4;  // a drawing of 10 ms is followed by 40 ms for everything else
const kQuickMs = 6;

export class FrameDrawer {
  private frame = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private notBefore = 0;

  constructor(private readonly draw: () => void) {}

  /** Draws soon; many calls within a frame draw once. */
  request(): void {
    if (this.frame !== 0 || this.timer !== undefined) return;
    const wait = this.notBefore - performance.now();
    if (wait <= 0) {
      this.frame = requestAnimationFrame(() => this.now());
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.request();
    }, wait);
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.frame = 0;
    this.timer = undefined;
  }

  private now(): void {
    this.frame = 0;
    const start = performance.now();
    this.draw();
    const took = performance.now() - start;
    this.notBefore = took > kQuickMs ? performance.now() + took * kShareOfTime : 0;
  }
}
