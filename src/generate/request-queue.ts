/** Requests that several lanes take from, so that neighbours stay together: they often begin alike. */

export class RequestQueue<Request> {
  private readonly requests: readonly Request[];
  /** What each lane has left of its own stretch of the requests. */
  private readonly stretches: { from: number; to: number }[];

  constructor(requests: readonly Request[], lanes: number) {
    this.requests = requests;
    const border = (lane: number) => Math.floor((requests.length * lane) / lanes);
    this.stretches = Array.from({ length: lanes }, (_, lane) => ({ from: border(lane), to: border(lane + 1) }));
  }

  /** The next request for a lane: the first of its own stretch, or the last of whoever has most left. */
  next(lane: number): Request | undefined {
    const own = this.stretches[lane]!;
    if (own.from < own.to) return this.requests[own.from++];
    const longest = this.stretches.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
    return longest.from < longest.to ? this.requests[--longest.to] : undefined;
  }
}
