/** What the server said of itself in the page: it does not change while the page is open. */

const said = document.documentElement.dataset;

/** Where lines are sent, whether questions need a key, which statuses are not stored, whether made-up lines may be sent. */
export const receiverUrl = said.receiverUrl;
export const needsKey = "keys" in said;
export const discardStatus = said.discardStatus;
export const hasDemoTraffic = "demoTraffic" in said;
