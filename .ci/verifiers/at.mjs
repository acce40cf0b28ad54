// Preloaded into the verifier of examples/ that is given the table: it stays at the table's time, and NOW and ISSUER_AT say
// when that is and where the key set is that its issuer, which does not exist, would serve.

const { NOW, ISSUER_AT } = process.env;
const now = Number(NOW) * 1000;
const Right = Date;
globalThis.Date = class extends Right {
  constructor(...parts) {
    super(...(parts.length ? parts : [now]));
  }
  static now() {
    return now;
  }
};
const fetched = globalThis.fetch;
globalThis.fetch = (address, ...rest) =>
  fetched(String(address).replace('https://latchkey.example.com', ISSUER_AT), ...rest);
