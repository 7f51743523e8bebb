-- wrk's script: sends requests of new users and prints one line of JSON about the answers.

local threads = {}
local prefix, wanted
-- The requests, sent in turn.
local kinds = {}
local requestCount = 0
local userCount = 0

-- Global, because done() runs in another Lua state and reads it from each thread.
wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  prefix, wanted = args[1], tonumber(args[2])
  local pauseMs = tonumber(args[3])
  for first = 4, #args, 5 do
    table.insert(kinds, {
      method = args[first], path = args[first + 1],
      before = args[first + 2], each = tonumber(args[first + 3]), after = args[first + 4],
    })
  end
  if pauseMs > 0 then
    delay = function() return pauseMs end
  end
  -- wrk itself counts statuses above 399. Reading each status costs time, so only loads that expect a refusal do it.
  if wanted > 399 then
    response = function(status)
      if status ~= wanted then wrong = wrong + 1 end
    end
  end
end

function request()
  local kind = kinds[requestCount % #kinds + 1]
  requestCount = requestCount + 1
  if kind.each == 0 then return wrk.format(kind.method, kind.path) end
  local ids = {}
  for index = 1, kind.each do
    userCount = userCount + 1
    ids[index] = '"' .. prefix .. "-" .. userCount .. '"'
  end
  local body = kind.before .. table.concat(ids, ",") .. kind.after
  return wrk.format(kind.method, kind.path, { ["Content-Type"] = "application/json" }, body)
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
