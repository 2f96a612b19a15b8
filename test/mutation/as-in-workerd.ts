/** By this jose knows workerd, where one request cannot wait for the fetch of another: it then makes one for each. */
Object.assign(globalThis, { WebSocketPair: class {} });
