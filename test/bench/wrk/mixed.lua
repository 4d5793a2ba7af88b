-- wrk -t2 -c64 -d10s --latency -s test/bench/wrk/mixed.lua http://localhost:3000
-- What a chat does: LISTS lists of ten (environment; 9) to each message from user SENDER to user RECEIVER (1 and 1).
function init()
  lists, n = tonumber(os.getenv("LISTS") or "9"), 0
  list = wrk.format("GET", "/api/messages?limit=10")
  post = wrk.format("POST", "/api/messages", { ["Content-Type"] = "application/json" },
    '{"sender":' .. (os.getenv("SENDER") or "1") .. ',"receiver":' .. (os.getenv("RECEIVER") or "1") .. ',"content":"wrk"}')
end

function request()
  n = n + 1
  return n % (lists + 1) == 0 and post or list
end
