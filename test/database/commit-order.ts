/** The order in which transactions committed, read from the database's own write-ahead log. */
import postgres from 'postgres';
import { inject } from 'vitest';

/** A second database in the cluster. The log covers the whole cluster, so the database under test needs no change. */
const BESIDE = 'commit_order';

export class CommitOrder {
  readonly #sql = postgres(Object.assign(new URL(inject('superuserUrl')), { pathname: BESIDE }).href, {
    max: 1,
    onnotice: () => {},
  });
  #from = '';

  /** Every transaction that commits from now on is in the order. */
  async begin(): Promise<void> {
    const cluster = postgres(inject('superuserUrl'), { max: 1, onnotice: () => {} });
    await cluster.unsafe(`create database ${BESIDE}`);
    await cluster.end();
    await this.#sql`create extension pg_walinspect`;
    const [row] = await this.#sql<[{ lsn: string }]>`select pg_current_wal_insert_lsn()::text as lsn`;
    this.#from = row.lsn;
  }

  /** The position of each transaction, by its id (the lower 32 bits, as in `xmin`). */
  async places(): Promise<ReadonlyMap<string, number>> {
    const commits = await this.#sql<{ xid: string }[]>`
      select xid::text from pg_get_wal_records_info(${this.#from}, pg_current_wal_flush_lsn())
      where resource_manager = 'Transaction' and record_type = 'COMMIT' order by start_lsn`;
    return new Map(commits.map(({ xid }, place) => [xid, place]));
  }

  end(): Promise<void> {
    return this.#sql.end({ timeout: 1 });
  }
}
