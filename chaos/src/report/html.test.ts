import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fixtureReport, suiteNames } from '../../test/fixtures/reports/generate.ts'
import { html, repeatCommand } from './html.ts'

const rendered = Object.fromEntries(suiteNames.map(name => [name, html.render(fixtureReport(name))]))
const attributes = (page: string, name: string) =>
  [...page.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value]) => value!)

describe('report.html', () => {
  test.each(suiteNames)('needs nothing from anywhere: no script, no link, no image, no address (%s)', name => {
    const page = rendered[name]!
    expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|base|form)\b/i)
    expect(page).not.toMatch(/url\(|@import|https?:\/\/|(?<= )on\w+="|(?<= )style="/i)
    for (const target of [...attributes(page, 'href'), ...attributes(page, 'src')]) expect(target).toMatch(/^#/)
  })

  test('its policy allows its own style sheet and nothing else', () => {
    const page = rendered.pass!
    const [, style] = page.match(/<style>([\s\S]*?)<\/style>/)!
    const hash = createHash('sha256').update(style!).digest('base64')
    const [, policy] = page.match(/Content-Security-Policy" content="([^"]*)"/)!
    expect(policy!.replaceAll('&#39;', "'")).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    )
  })

  test('a service named as a script is text', () => {
    const page = rendered.hostile!
    expect(page).toContain('&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;')
    expect(page).not.toContain('<script>')
    expect(page).not.toContain('<img')
  })

  test.each(suiteNames)('every id is unique and every reference has its target (%s)', name => {
    const page = rendered[name]!
    const ids = attributes(page, 'id')
    expect(new Set(ids).size).toBe(ids.length)
    const wanted = [
      ...attributes(page, 'href').map(target => target.slice(1)),
      ...attributes(page, 'aria-labelledby').flatMap(value => value.split(' ')),
    ]
    expect(wanted.filter(id => !ids.includes(id))).toEqual([])
  })

  test.each(suiteNames)('every picture has words, and no number is undefined or NaN (%s)', name => {
    const page = rendered[name]!
    for (const [svg] of page.matchAll(/<svg [^>]*role="img"[^>]*>(?:(?!<\/svg>).){0,60}/gs)) {
      expect(svg).toMatch(/aria-label(ledby)?="[^"]+"/)
      expect(svg).toContain('<title')
    }
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/)
  })

  test('has a plot of latency, errors, requests and burn rate for each experiment that saw requests', () => {
    const titles = [...rendered.fail!.matchAll(/<h4>([^<]*)<\/h4>/g)].map(([, title]) =>
      title!.replace(' (log scale)', ''),
    )
    expect(titles).toEqual(
      Array(4).fill(['What happened', 'Latency', 'Error ratio', 'Requests a second', 'Burn rate']).flat(),
    )
    expect(rendered['no-requests']).toContain('nothing to plot')
  })

  test('shades the fault, marks each kill and return, and draws the alert', () => {
    const page = rendered.fail!
    const crashed = page.slice(page.indexOf('id="e2"'), page.indexOf('id="e3"'))
    expect(crashed.match(/<rect class="window" x="20\.05%" width="59\.99%"/g)).toHaveLength(4)
    expect(crashed.match(/<line class="killed"/g)).toHaveLength(4 * 4)
    expect(crashed.match(/<g class="lane alert">.*?<rect x="29\.20%" width="66\.40%"/s)).not.toBeNull()
    const orders = crashed.match(/<g class="lane instance">.*?<\/g>/s)![0]
    expect([orders.match(/sign cross/g)?.length, orders.match(/sign triangle/g)?.length]).toEqual([4, 4])
  })

  test('a broken measure (NaN) leaves a gap, not a broken page', () => {
    const report = fixtureReport('pass')
    const experiment = report.experiments[0]!
    experiment.series[20]!.p99Ms = null
    experiment.series[21]!.burn = { 'checkout-availability': Number.NaN }
    Object.assign(experiment.objectives[0]!, {
      ratio: Number.NaN,
      interval: [Number.NaN, Number.NaN],
      budgetSpent: Number.NaN,
    })
    const page = html.render(report)
    expect(page).not.toContain('NaN')
    expect(page.match(/class="p99 curve" d="(M[^M"]*){2}"/)).not.toBeNull()
  })

  test('a run that was aborted before its fault still renders', () => {
    const report = fixtureReport('void')
    Object.assign(report.experiments[0]!, {
      phases: [],
      series: [],
      faults: [],
      timeline: [],
      load: [],
      objectives: [],
      expectations: [],
    })
    expect(html.render(report)).toContain('nothing to plot')
    expect(html.render(report)).not.toMatch(/NaN|Infinity|undefined/)
  })

  test('a day of bins renders, without a tooltip for each', () => {
    const report = fixtureReport('pass')
    const experiment = report.experiments[0]!
    const bins = 86_400
    experiment.series = Array.from({ length: bins }, (_, index) => ({
      ...experiment.series[index % 50]!,
      atMs: index * 1000,
      widthMs: 1000,
    }))
    experiment.phases = [{ name: 'fault', startMs: 0, endMs: bins * 1000 }]
    const page = html.render({ ...report, experiments: [experiment] })
    expect(page).not.toContain('class="bins"')
    expect(page).toContain('>24 h<')
  })

  test('the command that repeats the run is safe to paste', () => {
    expect(repeatCommand(fixtureReport('fail'))).toBe(
      'shaketable run experiments/slow-payments.yaml experiments/crashed-orders.yaml experiments/failing-recommendations.yaml experiments/frozen-inventory.yaml --seed 20260101 --env RESILIENCE=off',
    )
    const report = fixtureReport('pass')
    report.env = { A: "x'; rm -rf /" }
    expect(repeatCommand(report)).toMatch(/--env 'A=x'\\''; rm -rf \/'$/)
  })
})
