import { expect, test } from 'vitest'
import { checkout, objectiveOf } from '../test/objective-of.ts'
import { explain } from './explain.ts'

test('an objective is explained in plain numbers', () => {
  expect(explain(objectiveOf())).toMatchInlineSnapshot(`
    "checkout-latency: 99 % of the events of gateway are good, over 30d.
    An event is a POST request to gateway /checkout, good if answered with a status below 500 and within 500 ms.
    The error budget is 1 %: 10,000 bad events in a million, or 432 minutes of outage in 30d at steady traffic.
    It alerts when the error ratio over both windows exceeds the threshold:
      page   5m/1h  over 14.4 %, 14.4 times what the budget allows
      page   30m/6h over 6 %, 6 times what the budget allows
      ticket 2h/1d  over 3 %, 3 times what the budget allows
      ticket 6h/3d  over 1 %, just what the budget allows
    Errors that begin at once and stay alert, from a clean start and at steady traffic:
      100 % of errors page after 8.64 minutes, ticket after 43.2 minutes
       50 % of errors page after 17.28 minutes, ticket after 86.4 minutes
       10 % of errors page after 3.6 hours, ticket after 7.2 hours
        5 % of errors never page, ticket after 14.4 hours"
  `)
})

test('with the traffic it is told in events too', () => {
  expect(explain(objectiveOf(), { ratePerSecond: 20 })).toMatchInlineSnapshot(`
    "checkout-latency: 99 % of the events of gateway are good, over 30d.
    An event is a POST request to gateway /checkout, good if answered with a status below 500 and within 500 ms.
    The error budget is 1 %: 10,000 bad events in a million, or 432 minutes of outage in 30d at steady traffic.
    At 20 events a second, 518,400 of the 51,840,000 events of 30d may be bad.
    It alerts when the error ratio over both windows exceeds the threshold:
      page   5m/1h  over 14.4 %, 14.4 times what the budget allows
      page   30m/6h over 6 %, 6 times what the budget allows
      ticket 2h/1d  over 3 %, 3 times what the budget allows
      ticket 6h/3d  over 1 %, just what the budget allows
    Errors that begin at once and stay alert, from a clean start and at steady traffic:
      100 % of errors page after 8.64 minutes, ticket after 43.2 minutes
       50 % of errors page after 17.28 minutes, ticket after 86.4 minutes
       10 % of errors page after 3.6 hours, ticket after 7.2 hours
        5 % of errors never page, ticket after 14.4 hours"
  `)
})

test('traffic too low for the windows is warned of, and the times are those that it leaves', () => {
  expect(explain(objectiveOf({ target: 0.999 }), { ratePerSecond: 0.001 })).toMatchInlineSnapshot(`
    "checkout-latency: 99.9 % of the events of gateway are good, over 30d.
    An event is a POST request to gateway /checkout, good if answered with a status below 500 and within 500 ms.
    The error budget is 0.1 %: 1,000 bad events in a million, or 43.2 minutes of outage in 30d at steady traffic.
    At 0.001 events a second, 2.592 of the 2,592 events of 30d may be bad.
    It alerts when the error ratio over both windows exceeds the threshold:
      page   5m/1h  over 1.44 %, 14.4 times what the budget allows
      page   30m/6h over 0.6 %, 6 times what the budget allows
      ticket 2h/1d  over 0.3 %, 3 times what the budget allows
      ticket 6h/3d  over 0.1 %, just what the budget allows
    Errors that begin at once and stay alert, from a clean start and at steady traffic:
      100 % of errors page after 83.33 minutes, ticket after 83.33 minutes
       50 % of errors page after 2.778 hours, ticket after 2.778 hours
       10 % of errors never page, ticket after 13.89 hours
        5 % of errors never page, ticket after 27.78 hours
    Warning, low traffic: the whole budget of 30d is 2.592 events.
    Warning, low traffic: 5m/1h can never fire: 1h holds 3.6 events, and it takes 5 bad ones.
    Warning, low traffic: 30m/6h fires from 23.15 % only: 6h holds 21.6 events, and it takes 5 bad ones.
    Warning, low traffic: 2h/1d fires from 5.787 % only: 1d holds 86.4 events, and it takes 5 bad ones.
    Warning, low traffic: 6h/3d fires from 1.929 % only: 3d holds 259.2 events, and it takes 5 bad ones.
    More traffic (a probe counts too), a lower target or one objective over several services would help."
  `)
})

test('an objective that no burn-rate alert fits says so', () => {
  const short = objectiveOf({ windowMs: 3_600_000, indicator: checkout({ underSeconds: 0.25 }) })
  expect(explain(short)).toMatchInlineSnapshot(`
    "checkout-latency: 99 % of the events of gateway are good, over 1h.
    An event is a POST request to gateway /checkout, good if ended within 250 ms.
    The error budget is 1 %: 10,000 bad events in a million, or 0.6 minutes of outage in 1h at steady traffic.
    No burn-rate alert fits it: its window is too short for any of them."
  `)
})

test('slices, calendars and measurements are explained too', () => {
  const sliced = objectiveOf({
    target: 0.9995,
    slices: { windowMs: 60_000, target: 0.95 },
    windowMs: 30 * 86_400_000,
    calendar: { startTime: '2022-01-01 12:00:00', timeZone: 'America/New_York', months: 1 },
    indicator: { type: 'measured', measure: { by: 'threshold', query: 'queue_length', op: 'lte', value: 5 } },
  })
  expect(explain(sliced, { ratePerSecond: 0.01 })).toMatchInlineSnapshot(`
    "checkout-latency: 99.95 % of the slices of gateway are good, over each month of the calendar as from 2022-01-01 12:00:00 in America/New_York.
    A slice is 1m, and good if 95 % of its events are. One without events does not count.
    An event is a measurement of queue_length at each evaluation of the rules, good if at most 5.
    The error budget is 0.05 %: 21.6 slices, or 21.6 minutes.
    It alerts when the error ratio over both windows exceeds the threshold:
      page   5m/1h  over 0.72 %, 14.4 times what the budget allows
      page   30m/6h over 0.3 %, 6 times what the budget allows
      ticket 2h/1d  over 0.15 %, 3 times what the budget allows
      ticket 6h/3d  over 0.05 %, just what the budget allows
    Errors that begin at once and stay alert, from a clean start and at steady traffic:
      100 % of errors page after 60 seconds, ticket after 3 minutes
       50 % of errors page after 60 seconds, ticket after 3 minutes
       10 % of errors page after 60 seconds, ticket after 3 minutes
        5 % of errors never page, never ticket"
  `)
  const database = objectiveOf({
    indicator: {
      type: 'shaketable',
      selector: { signal: 'database', service: 'orders', system: 'postgresql', method: undefined, route: undefined },
      good: { status: undefined, underSeconds: 0.1, withoutError: true },
    },
  })
  expect(explain(database)).toContain(
    'An event is any database operation of orders with the system postgresql, good if ended without an error and within 100 ms.',
  )
})
