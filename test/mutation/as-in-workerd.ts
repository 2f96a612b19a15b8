/** jose detects workerd by this. There one request cannot wait for the fetch of another, so jose fetches for each request. */
Object.assign(globalThis, { WebSocketPair: class {} });
