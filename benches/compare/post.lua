-- Posts one request again and again, to Maltego's face or, with TYPE, to another. With VARY set to @@ each differs in
-- what it says, so that none is answered from rendered bytes; with VARY set to ## each differs in a comment only, so
-- that each has to be read. The numbers go on from run to run: one that came before would be known again.
local file = assert(io.open(os.getenv("REQUEST"), "rb"))
local body = file:read("*a")
file:close()
local vary = os.getenv("VARY")
local count = (os.time() % 100000) * 1000000

wrk.method = "POST"
wrk.headers["Content-Type"] = os.getenv("TYPE") or "text/xml"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or "none")
wrk.body = body

-- All numbers have as many digits, so a request is made once, in pieces. A client that is slower than a fast server, and is not
-- slower than a slow one, would spare the fast one the time that it takes to wake a client that sleeps.
local DIGITS = 11
local pieces = {}

function init()
  if not vary then
    return
  end
  local whole = wrk.format(nil, nil, nil, (body:gsub(vary, string.rep("\1", DIGITS))))
  local from = 1
  for start, stop in whole:gmatch("()" .. string.rep("\1", DIGITS) .. "()") do
    pieces[#pieces + 1] = whole:sub(from, start - 1)
    from = stop
  end
  pieces[#pieces + 1] = whole:sub(from)
end

if vary then
  function request()
    count = count + 1
    return table.concat(pieces, string.format("%0" .. DIGITS .. "d", count))
  end
end
