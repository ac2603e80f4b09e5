using CsCheck;

namespace Taba.Diffusion.Tests;

public sealed class NaturalOrderTests
{
    [Fact]
    public void Compare_Names_OrdersNumbersByValue()
    {
        string[] expected = ["", "10", "a", "a02", "a2", "a2b", "a10", "a10b2", "a10b10", "a99999999999999999999999999",
            "a100000000000000000000000000", "b1"];

        Assert.Equal(expected, expected.Reverse().Order(NaturalOrder.Instance));
    }

    [Fact]
    public void Compare_AnyNames_IsATotalOrder()
    {
        var name = Gen.String[Gen.Char["0019ab"], 0, 6];
        Gen.Select(name, name, name).Sample(
            (a, b, c) =>
            {
                var order = NaturalOrder.Instance;
                Assert.Equal(Math.Sign(order.Compare(a, b)), -Math.Sign(order.Compare(b, a)));
                Assert.Equal(a == b, order.Compare(a, b) == 0);
                Assert.False(order.Compare(a, b) < 0 && order.Compare(b, c) < 0 && order.Compare(a, c) >= 0);
            },
            iter: 5000,
            threads: 1);
    }
}
