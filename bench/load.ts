import { Agent, request } from "node:http";

/** What a closed loop of callers has measured. */
export type Measurement = {
  readonly requests: number;
  readonly seconds: number;
  /** Time from sending a request to its whole answer, ms. */
  readonly p50: number;
  readonly p99: number;
};

/**
 * Posts bodies over keep-alive connections, each caller sending its next one when it has its answer, until the time is
 * over or `next` has no more. Throws on the first answer that is not a success.
 */
export async function load(
  url: string,
  token: string,
  { callers, seconds, next }: { callers: number; seconds: number; next: () => string | null },
): Promise<Measurement> {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const latencies: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  const caller = async () => {
    for (let body = next(); body !== null && performance.now() < endsAt; body = next()) {
      const sentAt = performance.now();
      const answer = await post(agent, url, token, body);
      if (!answer.startsWith('{"status":"success"')) throw new Error(answer.slice(0, 500));
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsed = (performance.now() - startedAt) / 1000;
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const percentile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return { requests: latencies.length, seconds: elapsed, p50: percentile(0.5), p99: percentile(0.99) };
}

function post(agent: Agent, url: string, token: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
    };
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
