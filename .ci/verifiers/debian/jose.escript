%% erlang-jose. Arguments: issuer, audience, the key set. Prints the claims of each token on standard input, or why it is
%% refused. It does not choose from a set: that is done here, by kid.
main([_Issuer, _Audience, Set | _]) ->
    {ok, Text} = file:read_file(Set),
    #{<<"keys">> := Keys} = jiffy:decode(Text, [return_maps]),
    {ok, _} = application:ensure_all_started(jose),
    each(maps:from_list([{maps:get(<<"kid">>, Key), jose_jwk:from_map(Key)} || Key <- Keys])).

each(Keys) ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            io:put_chars([verify(list_to_binary(string:trim(Line)), Keys), "\n"]),
            each(Keys)
    end.

verify(Token, Keys) ->
    try
        #{<<"kid">> := Kid} = jiffy:decode(jose_jws:peek_protected(Token), [return_maps]),
        {true, Claims, _} = jose_jws:verify_strict(maps:get(Kid, Keys), [<<"ES256">>], Token),
        Claims
    catch
        _:Reason -> io_lib:format("refused: ~0p", [Reason])
    end.
