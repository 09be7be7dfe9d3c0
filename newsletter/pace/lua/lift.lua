-- Lift every stop of a sender, and the shares of connections that went with them.

for field in pairs(state) do
  if string.sub(field, 1, 4) == 'stop' or string.sub(field, 1, 5) == 'slot:' then drop(field) end
end
keep()
