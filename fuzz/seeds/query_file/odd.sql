-- name: a
select :x::int, :'y', ':z', a[1:2], a[lower(:x):], "q:x", $$:n$$ from t where y = :y and x = :x and i = interval:'i';
-- name: b comment
select $2 + $1, $$ $1 $$, $a$ :x $a$, '12:30'::time, 1::int4 /* :c */ -- :d
