/** A client, its bots and its tokens: the state known from earlier responses, to judge the next response by. */
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import type { Answer } from './api.ts';
import { Ledger } from './ledger.ts';
import { chance, pick, type World } from './world.ts';

export type Policy = 'none' | 'capped';

export interface LoadBot {
  readonly id: string;
  /** The address that the bot signs with, or null. */
  readonly key: Ledger<string | null>;
  readonly running: Ledger<boolean>;
  readonly policy: Ledger<Policy>;
  /** The number of its wallets, with or without a key. */
  wallets: number;
}

export interface LoadToken {
  readonly id: string;
  readonly token: string;
  readonly botIds: readonly string[];
  readonly valid: Ledger<boolean>;
}

const MOST_BOTS = 6;
/** The limit of the policy, in wei. */
export const CAP = 1000;

export class Household {
  readonly world: World;
  readonly clientId: string;
  readonly token: string;
  /** The bots that runners sign for. */
  readonly bots: LoadBot[] = [];
  /** Bots that the admin set up, with several wallets: they are counted, but do not sign. */
  readonly others: LoadBot[] = [];
  readonly tokens: LoadToken[] = [];
  readonly tradingKey = new Ledger<string | null>(null);
  /** Key ids of trading keys that a response has confirmed. */
  readonly keyIds: string[] = [];
  version = 0;
  /** True until a response is lost: then numbers are no longer known exactly. */
  certain = true;
  over = false;

  private constructor(world: World, clientId: string, token: string) {
    this.world = world;
    this.clientId = clientId;
    this.token = token;
  }

  /** Created by the admin for an account that signed up. `undefined` if the service failed. */
  static async open(world: World): Promise<Household | undefined> {
    const { email, token } = await world.newSession();
    const answer = await world.api.call('POST /clients', {
      token: world.admin,
      body: { name: 'Load', email, link_account: true },
    });
    world.expect(answer, 201);
    if (answer.status !== 201) return undefined;
    world.clientIds.push(answer.json.id);
    return new Household(world, answer.json.id, token);
  }

  /** One step of the owner, or of the admin for the owner. Steps run one at a time, unless a step says otherwise. */
  async step(): Promise<void> {
    const steps: [number, () => Promise<void>][] = [
      [this.bots.length < MOST_BOTS ? 6 : 0, () => this.#setUp()],
      [6, () => this.#rotate(chance(0.3) ? this.world.admin : this.token)],
      [2, () => this.#rotateTwice()],
      [1, () => this.#rotateAndRevoke()],
      [1, () => this.#revoke()],
      [this.others.length < 2 ? 1 : 0, () => this.#createBot()],
      [this.others.length > 0 ? 1 : 0, () => this.#addWallet()],
      [this.bots.length > 0 ? 6 : 0, () => this.#start()],
      [this.bots.length > 0 ? 2 : 0, () => this.#stop()],
      [this.bots.length > 0 ? 3 : 0, () => this.#setPolicy()],
      // A revocation ends every token.
      [this.bots.length > 0 ? (this.#mayHaveToken ? 3 : 30) : 0, () => this.#issueToken()],
      [this.tokens.length > 1 ? 2 : 0, () => this.#revokeToken()],
      [6, () => this.#read()],
    ];
    let at = Math.random() * steps.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, step] of steps) {
      at -= weight;
      if (at < 0) return step();
    }
  }

  #call(line: string, id: string, { body, token = this.token }: { body?: object; token?: string } = {}) {
    return this.world.api.call(line, { id, token, ...(body && { body }) });
  }

  get #mayHaveToken(): boolean {
    return this.tokens.some(({ valid }) => valid.now().includes(true));
  }

  get #all(): LoadBot[] {
    return [...this.bots, ...this.others];
  }

  /** Records the result of a change in every ledger that it concerns, and judges its response. */
  #settle(
    answer: Answer,
    changes: ReturnType<Ledger<never>['change']>[],
    done: number,
    ...refused: string[]
  ) {
    this.world.expect(answer, done, ...refused);
    if (answer.status === done) for (const change of changes) change.done();
    else if (this.world.judge.isFailure(answer)) this.certain = false;
    else for (const change of changes) change.refused();
    return answer.status === done;
  }

  #expectNumber(answer: Answer, name: string, expected: number) {
    if (!this.certain || answer.status >= 300) return;
    this.world.judge.expect(answer, answer.json[name] === expected, `${name} is ${expected}`);
  }

  #noteKey(answer: Answer) {
    this.keyIds.push(answer.json.key_id ?? answer.json.wallets?.[0]?.key_id);
  }

  async #setUp() {
    const holds = this.tradingKey.now();
    // After a lost response it is unknown whether there is a trading key; an own key is always accepted.
    const isFirst = holds.includes(null);
    const secret = isFirst || chance(0.3) ? generatePrivateKey() : undefined;
    const address = secret ? privateKeyToAddress(secret) : (holds[0] ?? null);
    const first = isFirst && holds.length === 1;
    const changes = first
      ? [this.tradingKey, ...this.#all.map(({ key }) => key)].map((one) => one.change(address))
      : [];
    const answer = await this.#call('POST /clients/{id}/setup-bot', this.clientId, {
      body: { bot_type: 'evm-grid', ...(secret && { private_key: secret }) },
    });
    const done = this.#settle(answer, changes, 201);
    if (!done) return;
    if (first) {
      this.version += 1;
      this.#noteKey(answer);
      for (const bot of this.#all) bot.wallets = 1;
    } else if (isFirst && answer.json.wallets[0].key_source === 'trading') {
      // It was revoked, as an answer that was lost would have said.
      for (const { key } of [{ key: this.tradingKey }, ...this.#all]) key.change(address).done();
      this.#noteKey(answer);
    }
    this.bots.push({
      id: answer.json.id,
      key: new Ledger<string | null>(answer.json.wallets[0].address),
      running: new Ledger(true),
      policy: new Ledger<Policy>('none'),
      wallets: 1,
    });
    this.world.judge.expect(answer, answer.json.status === 'running', 'the bot runs');
    if (address !== null && this.certain)
      this.world.judge.expect(
        answer,
        answer.json.wallets[0].address === address,
        'the wallet has its address',
      );
  }

  /** From the response on, all bots have the new key. `asking` may be two concurrent rotations. */
  #askToRotate(token: string) {
    const secret = generatePrivateKey();
    const address = privateKeyToAddress(secret);
    const changes = [this.tradingKey, ...this.#all.map(({ key }) => key)].map((ledger) =>
      ledger.change(address),
    );
    const answer = this.#call('PUT /clients/{id}/rotate-key', this.clientId, {
      token,
      body: { private_key: secret },
    });
    return { address, changes, answer };
  }

  async #rotate(token: string) {
    const had = this.tradingKey.now();
    const { address, changes, answer: asked } = this.#askToRotate(token);
    const answer = await asked;
    const refusals = had.includes(null) ? ['trading_key_missing'] : [];
    if (!this.#settle(answer, changes, 200, ...refusals)) return;
    this.world.judge.expect(answer, !had.every((one) => one === null), 'a key to rotate does not exist');
    this.#noteRotation(answer, address, 1);
    const wallets = this.#all.reduce((sum, bot) => sum + bot.wallets, 0);
    const bots = this.#all.filter((bot) => bot.wallets > 0);
    this.#expectNumber(answer, 'wallets_updated', bots.length);
    this.#expectNumber(answer, 'wallets_merged', wallets - bots.length);
    for (const bot of bots) bot.wallets = 1;
  }

  /** `ahead`: how far the version may be from the last known one. */
  #noteRotation(answer: Answer, address: string, ahead: number) {
    this.#noteKey(answer);
    const { version } = answer.json;
    this.world.judge.expect(
      answer,
      version > this.version &&
        (!this.certain || version <= this.version + ahead) &&
        answer.json.address === address,
      `the next version, ${this.version + 1}, has its address`,
    );
    if (ahead === 1) this.version = version;
  }

  /** The client and the admin rotate concurrently: one rotation follows the other, and neither is lost. */
  async #rotateTwice() {
    if (this.tradingKey.now().includes(null)) return;
    const both = [this.#askToRotate(this.token), this.#askToRotate(this.world.admin)];
    const answers = await Promise.all(both.map(({ answer }) => answer));
    for (const answer of answers) this.world.expect(answer, 200);
    if (!answers.every(({ status }) => status === 200)) {
      this.certain = false;
      return;
    }
    const versions = answers.map(({ json }) => json.version as number);
    for (const [i, answer] of answers.entries()) this.#noteRotation(answer, both[i]?.address ?? '', 2);
    const last = versions.indexOf(Math.max(...versions));
    for (const change of both[last]?.changes ?? []) change.done();
    const [answer] = answers;
    if (answer)
      this.world.judge.expect(answer, new Set(versions).size === 2, 'two rotations have two versions');
    this.version = Math.max(...versions);
    for (const bot of this.#all) bot.wallets = Math.min(1, bot.wallets);
  }

  /** The ledgers of everything that a revocation ends. */
  #changesOfRevocation() {
    return [
      ...[this.tradingKey, ...this.#all.map(({ key }) => key)].map((ledger) => ledger.change(null)),
      ...this.#all.map(({ running }) => running.change(false)),
      ...this.tokens.map(({ valid }) => valid.change(false)),
    ];
  }

  /** A rotation and a revocation, in either order: nothing can be signed after both got a response. */
  async #rotateAndRevoke() {
    if (this.tradingKey.now().includes(null)) return;
    const rotation = this.#askToRotate(this.world.admin);
    const changes = this.#changesOfRevocation();
    const [rotated, revoked] = await Promise.all([
      rotation.answer,
      this.#call('DELETE /clients/{id}/revoke-key', this.clientId),
    ]);
    this.world.expect(rotated, 200, 'trading_key_missing');
    if (rotated.status === 200) this.#noteRotation(rotated, rotation.address, 1);
    else if (this.world.judge.isFailure(rotated)) this.certain = false;
    // A rotation without a response may still run after the revocation, and then finds no key.
    if (this.#settle(revoked, changes, 200) && rotated.status === 200)
      for (const bot of this.#all) bot.wallets = Math.min(1, bot.wallets);
  }

  async #revoke() {
    const had = this.tradingKey.now();
    const running = this.#all.filter((bot) => bot.running.now()[0]);
    const sealed = this.#all.filter((bot) => bot.key.now()[0] !== null);
    const valid = this.tokens.filter((token) => !token.valid.now().includes(false));
    const changes = this.#changesOfRevocation();
    const answer = await this.#call('DELETE /clients/{id}/revoke-key', this.clientId);
    const done = this.#settle(answer, changes, 200, ...(had.includes(null) ? ['trading_key_missing'] : []));
    if (!done) return;
    this.world.judge.expect(answer, !had.every((one) => one === null), 'a key to revoke does not exist');
    this.#expectNumber(answer, 'bots_stopped', running.length);
    const ended: string[] = answer.json.tokens_ended;
    this.world.judge.expect(
      answer,
      valid.every(({ id }) => ended.includes(id)),
      'every token ends',
    );
    this.#expectNumber(
      answer,
      'wallets_cleared',
      sealed.reduce((sum, bot) => sum + bot.wallets, 0),
    );
  }

  async #createBot() {
    const [held = null, ...more] = this.tradingKey.now();
    if (held === null || more.length > 0) return;
    const answer = await this.#call('POST /bots/create', '', {
      token: this.world.admin,
      body: { client_id: this.clientId, name: 'Several wallets', bot_type: 'evm-dca' },
    });
    if (!this.#settle(answer, [], 201)) return;
    this.others.push({
      id: answer.json.id,
      key: new Ledger<string | null>(held),
      running: new Ledger(false),
      policy: new Ledger<Policy>('none'),
      wallets: 1,
    });
  }

  async #addWallet() {
    if (this.tradingKey.now().includes(null)) return;
    const bot = pick(this.others);
    const body = { private_key: generatePrivateKey() };
    const answer = await this.#call('POST /bots/{id}/wallets', bot.id, { token: this.world.admin, body });
    if (this.#settle(answer, [], 201)) bot.wallets += 1;
  }

  async #start() {
    const bot = pick(this.bots);
    const keys = bot.key.now();
    const change = bot.running.change(true);
    const answer = await this.#call('POST /bots/{id}/start', bot.id);
    const done = this.#settle(answer, [change], 200, ...(keys.includes(null) ? ['bot_key_missing'] : []));
    if (done)
      this.world.judge.expect(
        answer,
        keys.some((key) => key !== null),
        'the bot has no key',
      );
  }

  async #stop() {
    const bot = pick(this.bots);
    const change = bot.running.change(false);
    this.#settle(await this.#call('POST /bots/{id}/stop', bot.id), [change], 200);
  }

  async #setPolicy() {
    const bot = pick(this.bots);
    const capped = chance(0.7);
    const change = bot.policy.change(capped ? 'capped' : 'none');
    const body = capped ? { kinds: ['evm.message', 'evm.transaction'], max_value: String(CAP) } : {};
    this.#settle(await this.#call('PUT /bots/{id}/policy', bot.id, { body }), [change], 200);
  }

  async #issueToken() {
    const [first, ...more] = this.bots.map(({ id }) => id);
    if (first === undefined) return;
    const body = { name: 'Load', other_bot_ids: more };
    const answer = await this.#call('POST /bots/{id}/tokens', first, { body });
    if (!this.#settle(answer, [], 201)) return;
    this.tokens.push({
      id: answer.json.id,
      token: answer.json.token,
      botIds: [first, ...more],
      valid: new Ledger(true),
    });
    if (this.tokens.length > 4) this.tokens.shift();
  }

  async #revokeToken() {
    const token = pick(this.tokens);
    const had = token.valid.now();
    const change = token.valid.change(false);
    const answer = await this.#call('DELETE /tokens/{id}', token.id);
    this.#settle(answer, [change], 200, ...(had.includes(false) ? ['resource_not_found'] : []));
    // Not there, as the first time would have answered.
    if (answer.code === 'resource_not_found') token.valid.change(false).done();
  }

  async #read() {
    const key = await this.#call('GET /clients/{id}/trading-key', this.clientId);
    const held = this.tradingKey.during(key);
    const found =
      key.status === 200 ? key.json.address : key.code === 'trading_key_missing' ? null : undefined;
    this.world.judge.expect(key, found !== undefined && held.includes(found), 'the key that it should have');
    const bot = this.bots.length > 0 ? pick(this.bots) : undefined;
    if (!bot) return;
    const shown = await this.#call('GET /bots/{id}', bot.id);
    const running = shown.json?.status === 'running';
    this.world.judge.expect(
      shown,
      shown.status === 200 && bot.running.during(shown).includes(running),
      'the status that the bot should have',
    );
    const line = pick([
      'GET /clients/{id}',
      'GET /clients/{id}/bots',
      'GET /clients/{id}/bot-options',
      'GET /clients/me',
      'GET /clients?limit=5',
      'GET /clients/{id}/key-events',
      'GET /clients/{id}/checkpoints',
    ]);
    this.world.expect(await this.#call(line, this.clientId), 200);
    this.world.expect(
      await this.#call(
        pick(['GET /bots/{id}/tokens', 'GET /bots/{id}/policy', 'GET /bots/{id}/health']),
        bot.id,
      ),
      200,
    );
  }
}
