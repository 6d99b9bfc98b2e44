namespace Flex.Functions.Tests.Simulation;

/// <summary>A world's only source of chance. Every part rolls its own, so that one more roll here does not move what happens there.</summary>
internal sealed class Dice(int seed, string what)
{
    private readonly Random _random = new(unchecked((seed * 397) ^ Hash(what)));

    public bool Roll(double chance) => _random.NextDouble() < chance;

    /// <summary>From <paramref name="least"/> to <paramref name="most"/>, both included.</summary>
    public int Between(int least, int most) => _random.Next(least, most + 1);

    public T Pick<T>(params T[] items) => items[_random.Next(items.Length)];

    public T Of<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];

    /// <summary>One of several, each as likely as its weight.</summary>
    public T Weighted<T>(params (int Weight, T Item)[] items)
    {
        int roll = _random.Next(items.Sum(i => i.Weight));
        foreach ((int weight, T item) in items)
        {
            if ((roll -= weight) < 0)
            {
                return item;
            }
        }

        return items[^1].Item;
    }

    /// <summary>A text's own hash code differs from process to process.</summary>
    private static int Hash(string text) => text.Aggregate(17, (hash, c) => unchecked((hash * 31) + c));
}
