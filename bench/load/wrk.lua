-- wrk's script: requests of users who were never met before, and one line of JSON that says how they were answered.

local threads = {}
local method, path, prefix, before, after, each, wanted
local userCount = 0

-- Global, because done() runs in another state of Lua and asks each thread for it.
wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  method, path, prefix, before, after = args[1], args[2], args[3], args[4], args[5]
  each, wanted = tonumber(args[6]), tonumber(args[7])
  local pauseMs = tonumber(args[8])
  if pauseMs > 0 then
    delay = function() return pauseMs end
  end
  -- wrk itself counts what is above 399. Looking at each answer costs it time, so that is done only where a refusal is right.
  if wanted > 399 then
    response = function(status)
      if status ~= wanted then wrong = wrong + 1 end
    end
  end
end

function request()
  if each == 0 then return wrk.format(method, path) end
  local ids = {}
  for index = 1, each do
    userCount = userCount + 1
    ids[index] = '"' .. prefix .. "-" .. userCount .. '"'
  end
  return wrk.format(method, path, { ["Content-Type"] = "application/json" }, before .. table.concat(ids, ",") .. after)
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  for _, thread in ipairs(threads) do
    broken = broken + thread:get("wrong")
  end
  print(string.format(
    '{"answers":%d,"us":%d,"p50":%d,"p99":%d,"max":%d,"above399":%d,"broken":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max, errors.status, broken
  ))
end
