-- Each connection thinks before it asks, where the script's argument gives a mean in ms: evenly from half of it to one and a
-- half times it, so that connections do not march in step.
init = function(args)
  local mean = tonumber(args[1])
  if mean > 0 then
    delay = function() return math.random(math.floor(mean / 2), math.floor(mean * 3 / 2)) end
  end
end

-- The summary as one line of JSON, after what wrk itself prints.
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\n{"requests":%d,"micros":%d,"p50Micros":%d,"p99Micros":%d,"errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
