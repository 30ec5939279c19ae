/** What functions learn of the deployment that they run on: that it is self-hosted, and nothing of its size. */
export const DEPLOYMENT = { name: "embedded", region: null, class: "s16" } as const;
