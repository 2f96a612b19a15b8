import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkOf } from '../../src/middleware/network.ts';

describe('the network of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8:1::', '2001:db8:1:0::/64'],
    ['2001:db8:1:2::203.0.113.7', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    [' 2001:db8::6 ', '2001:db8:0:0::/64'],
    ['', 'unknown'],
    ['localhost', 'unknown'],
    ['account 1', 'unknown'],
  ])('%s -> %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('that is missing -> unknown, the same network for all such requests', () => {
    expect(networkOf(undefined)).toBe('unknown');
  });

  it('is the same for 2^64 addresses in any notation, and different for other addresses', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(groups, groups, groups, (network, one, other) => {
        const hex = (numbers: number[]) => numbers.map((number) => number.toString(16)).join(':');
        const padded = network.map((group) => group.toString(16).padStart(4, '0').toUpperCase()).join(':');
        const of = networkOf(`${hex(network)}:${hex(one)}`);
        expect(networkOf(`${padded}:${hex(other)}`)).toBe(of);
        const neighbour = [...network.slice(0, 3), (network[3] ?? 0) ^ 1];
        expect(networkOf(`${hex(neighbour)}:${hex(one)}`)).not.toBe(of);
      }),
    );
  });
});
