/** Where rows of different heights stand, of which most have never been seen. */
export class Heights {
  private readonly known = new Map<string, number>();
  private ids: string[] = [];
  private tops = new Float64Array(1); // of each row, and of the end
  private stale = true;

  constructor(private readonly estimate: number) {}

  setRows(ids: string[]): void {
    this.ids = ids;
    this.stale = true;
  }

  /** Notes a measured height; true if it is news. */
  measured(id: string, height: number): boolean {
    if (this.known.get(id) === height) return false;
    this.known.set(id, height);
    this.stale = true;
    return true;
  }

  get total(): number {
    return this.fresh()[this.ids.length] ?? 0;
  }

  top(index: number): number {
    return this.fresh()[Math.max(0, Math.min(index, this.ids.length))] ?? 0;
  }

  height(index: number): number {
    return this.top(index + 1) - this.top(index);
  }

  /** The row that a position is in. */
  at(y: number): number {
    const tops = this.fresh();
    let [low, high] = [0, this.ids.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((tops[middle + 1] ?? Infinity) > y) high = middle;
      else low = middle + 1;
    }
    return Math.min(low, Math.max(0, this.ids.length - 1));
  }

  private fresh(): Float64Array {
    if (!this.stale) return this.tops;
    if (this.tops.length !== this.ids.length + 1) this.tops = new Float64Array(this.ids.length + 1);
    let y = 0;
    this.ids.forEach((id, i) => {
      this.tops[i] = y;
      y += this.known.get(id) ?? this.estimate;
    });
    this.tops[this.ids.length] = y;
    this.stale = false;
    return this.tops;
  }
}
