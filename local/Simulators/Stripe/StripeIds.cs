namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// Ids in Stripe's form that follow from a seed and a number. The first eleven characters are a bijection of the number
/// (62^11 exceeds 2^64), so ids of one seed never collide.
/// </summary>
internal static class StripeIds
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int CharactersPerWord = 11;

    public static string Make(string prefix, ulong seed, long number)
    {
        int length = prefix switch
        {
            "cus" or "req" => 14,
            "whsec" => 32,
            _ => 24,
        };
        return string.Create(prefix.Length + 1 + length, (prefix, seed, number), static (span, state) =>
        {
            state.prefix.CopyTo(span);
            span[state.prefix.Length] = '_';
            Fill(span[(state.prefix.Length + 1)..], state.seed, state.number);
        });
    }

    private static void Fill(Span<char> text, ulong seed, long number)
    {
        ulong word = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (i % CharactersPerWord == 0)
            {
                word = Mix(seed, number, i / CharactersPerWord);
            }

            text[i] = Alphabet[(int)(word % 62)];
            word /= 62;
        }
    }

    /// <summary>The finaliser of SplitMix64: a bijection of its input, so distinct numbers stay distinct.</summary>
    private static ulong Mix(ulong seed, long number, int lane)
    {
        unchecked
        {
            ulong z = (ulong)number + ((seed + 1) * 0x9E3779B97F4A7C15UL) + ((ulong)lane * 0xD1B54A32D192ED03UL);
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }
}
