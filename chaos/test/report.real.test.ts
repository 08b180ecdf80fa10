import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { junit } from '../src/report/junit.ts'
import { writeReports } from '../src/report/write.ts'
import { launchChromium } from './fixtures/reports/chromium.ts'
import { fixtureReport, type SuiteName, suiteNames } from './fixtures/reports/generate.ts'
import {
  background,
  pastTheEdge,
  plotsOf,
  plotTextHeight,
  poorContrasts,
  readXml,
  visibleRows,
  windowsOf,
} from './fixtures/reports/in-page.js'

let browser: Browser
let dir: string

beforeAll(async () => {
  browser = await launchChromium()
  dir = await mkdtemp(join(tmpdir(), 'shaketable-chromium-'))
  for (const name of suiteNames) await writeReports(join(dir, name), fixtureReport(name))
})
afterAll(async () => {
  await browser?.close()
  if (dir) await rm(dir, { recursive: true, force: true })
})

interface Look {
  width: number
  colorScheme?: 'light' | 'dark'
}

/** Opens a report as a reader would; gives what the page asked for and complained about besides. */
async function reading<T>(name: SuiteName, look: Look, see: (page: Page) => Promise<T>) {
  const page = await browser.newPage({
    viewport: { width: look.width, height: 800 },
    colorScheme: look.colorScheme ?? 'light',
  })
  const complaints: string[] = []
  const requests: string[] = []
  page.on('console', message => complaints.push(message.text()))
  page.on('pageerror', error => complaints.push(error.message))
  page.on('dialog', dialog => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', request => requests.push(request.url()))
  try {
    await page.goto(pathToFileURL(join(dir, name, 'report.html')).href)
    return { seen: await see(page), complaints, requests }
  } finally {
    await page.close()
  }
}

describe('report.html in a real Chromium', () => {
  test.each(suiteNames)('asks for nothing but itself and complains of nothing (%s)', async name => {
    const { seen, complaints, requests } = await reading(name, { width: 1280 }, page => page.title())
    expect(complaints).toEqual([])
    expect(requests).toHaveLength(1)
    const { system, verdict } = fixtureReport(name)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a title cannot hold.
    expect(seen).toBe(`${system}: ${verdict}`.replace(/[\0\x1b]/g, '\ufffd'))
  })

  test.each(suiteNames)('nothing reaches past the edge of a phone of 360 px (%s)', async name => {
    const { seen } = await reading(name, { width: 360 }, page => page.evaluate(pastTheEdge))
    expect(seen).toEqual({ scroll: 360, past: [] })
  })

  test('every plot is there, with curves that have a size', async () => {
    const { seen } = await reading('fail', { width: 360 }, page => page.evaluate(plotsOf, '#e2'))
    expect(seen.map(({ title }) => title)).toEqual([
      'What happened',
      'Latency (log scale)',
      'Error ratio',
      'Requests a second',
      'Burn rate',
    ])
    for (const { title, drawn } of seen) expect(drawn, title).toBeGreaterThan(0)
  })

  test('the fault is shaded where it was, in every plot', async () => {
    const { seen } = await reading('fail', { width: 1280 }, page => page.evaluate(windowsOf, '#e2'))
    expect(seen).toHaveLength(4)
    for (const [from, to] of seen) {
      expect(from).toBeCloseTo(5 / 25, 2)
      expect(to).toBeCloseTo(20 / 25, 2)
    }
  })

  test.each(['light', 'dark'] as const)(
    'all text stands out from what is behind it: 4.5 to 1 (%s)',
    async colorScheme => {
      const { seen } = await reading('fail', { width: 1280, colorScheme }, page => page.evaluate(poorContrasts))
      expect(seen.checked).toBeGreaterThan(100)
      expect(seen.poor).toEqual([])
    },
  )

  test('light and dark differ', async () => {
    const see = (page: Page) => page.evaluate(background)
    const light = await reading('pass', { width: 800, colorScheme: 'light' }, see)
    const dark = await reading('pass', { width: 800, colorScheme: 'dark' }, see)
    expect(light.seen).not.toBe(dark.seen)
  })

  test('text of a plot keeps its size at every width', async () => {
    const size = (page: Page) => page.evaluate(plotTextHeight)
    const phone = await reading('pass', { width: 360 }, size)
    const desk = await reading('pass', { width: 1600 }, size)
    expect(phone.seen).toBe(desk.seen)
    expect(phone.seen).toBeGreaterThan(10)
  })

  test('a reader by ear finds headings, named tables and described plots', async () => {
    const { seen } = await reading('fail', { width: 360 }, async page => ({
      main: await page.getByRole('main').count(),
      headings: await page.getByRole('heading', { level: 2 }).count(),
      plots: await page.getByRole('img', { name: 'Error ratio' }).count(),
      tables: await page.getByRole('table').count(),
      named: await page.getByRole('table', { name: /.+/ }).count(),
      cells: await page.getByRole('rowheader').count(),
    }))
    expect(seen).toMatchObject({ main: 1, headings: 6, plots: 4, named: seen.tables })
    expect(seen.cells).toBeGreaterThan(20)
  })

  test('paper gets the whole timeline, also one that is folded on the screen, in dark ink', async () => {
    const { seen } = await reading('fail', { width: 1280, colorScheme: 'dark' }, async page => {
      const onScreen = await page.evaluate(visibleRows, '#e2 details')
      await page.emulateMedia({ media: 'print' })
      return {
        onScreen,
        onPaper: await page.evaluate(visibleRows, '#e2 details'),
        paper: await page.evaluate(background),
      }
    })
    const events = fixtureReport('fail').experiments[1]!.timeline.length
    expect(seen).toEqual({ onScreen: 0, onPaper: events, paper: 'rgb(255, 255, 255)' })
  })
})

test.each(suiteNames)('junit.xml is read by a real XML parser (%s)', async name => {
  const xml = junit.render(fixtureReport(name))
  const { seen } = await reading(name, { width: 400 }, page => page.evaluate(readXml, xml))
  expect(seen).toEqual({ error: undefined, suites: fixtureReport(name).experiments.length })
})
